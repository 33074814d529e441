<?php
// Reminds people by phone. NXCloud places the calls; its receipts, or its record query, say how they ended.
declare(strict_types=1);

final class Reminders
{
    private const AUDIO = 'https://files.example.com/appointment.mp3';

    /** `$file` keeps the calls: requests of the receiver are processes of their own. */
    public function __construct(
        private string $file,
        private string $url = '',
        private string $appkey = '',
        private string $secretkey = '',
    ) {
    }

    /** Place a call. */
    public function remind(string $phone): void
    {
        $form = ['phone' => $phone, 'country_code' => '62', 'show_phone' => '1234567890', 'url' => self::AUDIO];
        $reply = $this->post('/api/voiceSms/gpsend', $form);
        if ($reply['code'] !== '0') {
            throw new RuntimeException('NXCloud refused: ' . json_encode($reply));
        }
        $this->change(function (array $kept) use ($reply, $phone): array {
            $kept['calls']["{$reply['messageid']} $phone"] ??= 'called'; // its receipt may have been faster
            return $kept;
        });
    }

    /** A receipt came; returns what NXCloud wants to read. */
    public function receipt(array $fields): string
    {
        $answered = $fields['hangup_cause'] === 'NORMAL_CLEARING';
        $key = "{$fields['messageid']} {$fields['phone']}";
        $this->settle($key, $answered, (float) $fields['customer_price'], (int) $fields['size']);
        return 'success';
    }

    /** Ask for the records of calls whose receipt is missing. */
    public function reconcile(): void
    {
        $day = fn (string $when): string => gmdate('Y-m-d 00:00:00', strtotime($when));
        foreach (array_keys($this->read()['calls'], 'called', true) as $key) {
            [$messageid, $phone] = explode(' ', $key);
            $reply = $this->post('/api/voiceSms/getVoiceCdr', [
                'voiceType' => '0', 'messageid' => $messageid, 'start_time' => $day('-1 day'),
                'end_time' => $day('+2 days'), 'page_size' => '10', 'page' => '1',
            ]);
            foreach ($reply['info']['rows'] as $row) {
                if (str_ends_with($phone, $row['phone'])) { // records have it without the country code
                    $this->settle($key, $row['result'] === 'Successful connection', $row['customer_price'], $row['size']);
                }
            }
        }
    }

    public function state(string $phone): ?string
    {
        foreach ($this->read()['calls'] as $key => $state) {
            if (str_ends_with($key, " $phone")) {
                return $state;
            }
        }
        return null;
    }

    /** What all calls cost, in millionths. */
    public function bill(): int
    {
        return $this->read()['bill'];
    }

    private function settle(string $key, bool $answered, float $price, int $size): void
    {
        // The planted bug: every receipt is charged, also one that came before.
        $bug = getenv('REMINDERS_BUG') === '1';
        $this->change(function (array $kept) use ($key, $answered, $price, $size, $bug): array {
            if (($kept['calls'][$key] ?? 'called') !== 'called' && !$bug) {
                return $kept; // the same receipt again
            }
            $kept['calls'][$key] = $answered ? 'answered' : 'missed';
            $kept['bill'] += $answered ? (int) round($price * 1e6) * $size : 0;
            return $kept;
        });
    }

    private function read(): array
    {
        return $this->change(fn (array $kept): array => $kept);
    }

    private function change(callable $change): array
    {
        $file = fopen($this->file, 'c+');
        flock($file, LOCK_EX);
        $kept = $change(json_decode(stream_get_contents($file), true) ?? ['calls' => [], 'bill' => 0]);
        rewind($file);
        ftruncate($file, 0);
        fwrite($file, json_encode($kept));
        fclose($file);
        return $kept;
    }

    private function post(string $path, array $form): array
    {
        $content = http_build_query(['appkey' => $this->appkey, 'secretkey' => $this->secretkey] + $form);
        $header = 'Content-Type: application/x-www-form-urlencoded';
        $http = ['method' => 'POST', 'header' => $header, 'content' => $content, 'timeout' => 10];
        $text = file_get_contents($this->url . $path, false, stream_context_create(['http' => $http]));
        return json_decode($text, true);
    }
}
