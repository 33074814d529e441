<?php
// Where NXCloud sends its receipts: `REMINDERS_FILE=... php -S 127.0.0.1:9000 receiver.php`.
declare(strict_types=1);

require __DIR__ . '/Reminders.php';

echo (new Reminders(getenv('REMINDERS_FILE')))->receipt($_REQUEST);
