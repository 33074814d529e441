<?php
// Copy this file: one tenant of a running voice-emulator for one test. It needs PHP 8.1 and nothing else.
declare(strict_types=1);

use PHPUnit\Framework\Assert;

/** A tenant on a manual clock, with credentials of its own. */
final class Emulator
{
    /** What the client uses in place of the provider's URL. */
    public string $url;
    public array $credentials;
    private string $path;

    public function __construct(string $receiver, string $provider = 'nxcloud')
    {
        $made = $this->call('POST', '/v1/tenants', ['clock' => 'manual', 'callback_urls' => [$provider => $receiver]]);
        $this->path = '/v1/tenants/' . rawurlencode($made['id']);
        $this->credentials = $made['credentials'][$provider];
        $this->url = $this->call('GET', '/health')['traffic'];
    }

    /** Put a scenario in force: the name of a shipped one, or YAML. */
    public function load(string $scenario): void
    {
        $this->call('PUT', "$this->path/scenario", str_contains($scenario, "\n") ? $scenario : ['name' => $scenario]);
    }

    /** Let seconds pass, or everything happen that is pending. Returns after the pushes were attempted. */
    public function advance(?int $seconds = null): void
    {
        $this->call('POST', "$this->path/clock/advance", $seconds === null ? ['to' => 'idle'] : ['seconds' => $seconds]);
    }

    /** The first push for a number: its fields, and how the receiver answered. */
    public function waitForCallback(string $number, string $timeout = '5s'): array
    {
        $query = http_build_query(['for' => 'callbacks', 'number' => $number, 'timeout' => $timeout]);
        $waited = $this->call('GET', "$this->path/wait?$query");
        Assert::assertTrue($waited['satisfied'], "no push for $number within $timeout");
        return $waited['items'][0];
    }

    /** Fail where the client broke the provider's contract. */
    public function assertNoViolations(): void
    {
        $found = $this->call('GET', "$this->path/violations?severity=error")['violations'];
        Assert::assertSame([], array_map(fn ($each) => "{$each['rule']}: {$each['message']}", $found));
    }

    /** Assert, and only then delete the tenant: its findings go with it. */
    public function stop(): void
    {
        try {
            $this->assertNoViolations();
        } finally {
            $this->call('DELETE', $this->path);
        }
    }

    private function call(string $method, string $path, array|string|null $body = null): array
    {
        $headers = ['Content-Type: ' . (is_string($body) ? 'application/yaml' : 'application/json')];
        if ($token = getenv('VOICE_EMULATOR_CONTROL_TOKEN')) {
            $headers[] = "Authorization: Bearer $token";
        }
        $content = is_array($body) ? json_encode($body) : (string) $body;
        $http = ['method' => $method, 'header' => $headers, 'content' => $content, 'ignore_errors' => true];
        $control = getenv('VOICE_EMULATOR_CONTROL') ?: 'http://127.0.0.1:4881';
        $text = file_get_contents($control . $path, false, stream_context_create(['http' => $http]));
        $status = (int) explode(' ', $http_response_header[0])[1];
        Assert::assertLessThan(300, $status, "$method $path: $text");
        return $text === '' ? [] : json_decode($text, true);
    }
}
