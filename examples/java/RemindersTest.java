import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.net.httpserver.HttpServer;
import java.math.BigDecimal;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Run by `make test-examples`, or with your build tool while an emulator runs (`voice-emulator serve`). */
class RemindersTest {
    private static final String PHONE = "6281200010000";
    private static final String LOST = "name: lost\nrules:\n  - name: no receipt comes\n    receipt: {lost: true}\n";

    private HttpServer receiver;
    private Emulator emulator;
    private Reminders reminders;

    @BeforeEach
    void start() throws Exception {
        receiver = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        receiver.createContext("/receipts", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            byte[] answer = reminders.receipt(fields(exchange.getRequestURI().getRawQuery() + "&" + body)).getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        receiver.start();
        emulator = new Emulator("nxcloud", "http://127.0.0.1:" + receiver.getAddress().getPort() + "/receipts");
        reminders = new Reminders(emulator.url, emulator.credential("nxcloud", "appkey"), emulator.credential("nxcloud", "secretkey"));
    }

    @AfterEach
    void stop() {
        try {
            emulator.close();
        } finally {
            receiver.stop(0);
        }
    }

    @Test
    void anAnsweredCallIsSettledByItsReceipt() throws Exception {
        reminders.remind(PHONE);
        assertEquals("called", reminders.state(PHONE));
        emulator.advance(60);
        assertEquals("delivered", Emulator.text(emulator.waitForCallback(PHONE), "outcome"));
        assertEquals("answered", reminders.state(PHONE));
    }

    @Test
    void aReceiptThatComesTwiceIsChargedOnce() throws Exception {
        emulator.load("duplicate-receipts");
        reminders.remind(PHONE);
        emulator.advance();
        assertEquals(new BigDecimal("0.036"), reminders.bill());
    }

    @Test
    void aLostReceiptIsReconciled() throws Exception {
        emulator.load(LOST);
        reminders.remind(PHONE);
        emulator.advance();
        assertEquals("called", reminders.state(PHONE));
        reminders.reconcile();
        assertEquals("answered", reminders.state(PHONE));
        assertEquals(new BigDecimal("0.036"), reminders.bill());
    }

    private static Map<String, String> fields(String form) {
        Map<String, String> found = new HashMap<>();
        for (String pair : form.split("&")) {
            String[] parts = pair.split("=", 2);
            if (parts.length == 2) {
                found.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
            }
        }
        return found;
    }
}
