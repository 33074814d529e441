<?php
// Run with `phpunit .` while an emulator runs (`voice-emulator serve`).
declare(strict_types=1);

use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/Emulator.php';
require_once __DIR__ . '/Reminders.php';

final class RemindersTest extends TestCase
{
    private const PHONE = '6281200010000';
    private const LOST = "name: lost\nrules:\n  - name: no receipt comes\n    receipt: {lost: true}\n";
    private string $file;
    private $receiver;
    private Emulator $emulator;
    private Reminders $reminders;

    protected function setUp(): void
    {
        $this->file = tempnam(sys_get_temp_dir(), 'reminders');
        $free = stream_socket_server('tcp://127.0.0.1:0');
        $address = stream_socket_get_name($free, false);
        fclose($free);
        $this->receiver = proc_open(
            [PHP_BINARY, '-S', $address, __DIR__ . '/receiver.php'],
            [1 => ['file', '/dev/null', 'w'], 2 => ['file', '/dev/null', 'w']],
            $pipes,
            null,
            ['REMINDERS_FILE' => $this->file] + getenv(),
        );
        for ($tries = 0; $tries < 500 && !($open = @stream_socket_client("tcp://$address")); $tries++) {
            usleep(10_000);
        }
        fclose($open);
        $this->emulator = new Emulator("http://$address/receipts");
        $keys = $this->emulator->credentials;
        $this->reminders = new Reminders($this->file, $this->emulator->url, $keys['appkey'], $keys['secretkey']);
    }

    protected function tearDown(): void
    {
        try {
            $this->emulator->stop();
        } finally {
            proc_terminate($this->receiver);
            proc_close($this->receiver);
            unlink($this->file);
        }
    }

    public function testAnAnsweredCallIsSettledByItsReceipt(): void
    {
        $this->reminders->remind(self::PHONE);
        $this->assertSame('called', $this->reminders->state(self::PHONE));
        $this->emulator->advance(60);
        $this->assertSame('delivered', $this->emulator->waitForCallback(self::PHONE)['outcome']);
        $this->assertSame('answered', $this->reminders->state(self::PHONE));
    }

    public function testAReceiptThatComesTwiceIsChargedOnce(): void
    {
        $this->emulator->load('duplicate-receipts');
        $this->reminders->remind(self::PHONE);
        $this->emulator->advance();
        $this->assertSame(36_000, $this->reminders->bill());
    }

    public function testALostReceiptIsReconciled(): void
    {
        $this->emulator->load(self::LOST);
        $this->reminders->remind(self::PHONE);
        $this->emulator->advance();
        $this->assertSame('called', $this->reminders->state(self::PHONE));
        $this->reminders->reconcile();
        $this->assertSame('answered', $this->reminders->state(self::PHONE));
        $this->assertSame(36_000, $this->reminders->bill());
    }
}
