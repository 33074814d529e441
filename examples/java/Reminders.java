import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reminds people by phone. NXCloud places the calls; its receipts, or its record query, say how they ended. */
final class Reminders {
    private static final String AUDIO = "https://files.example.com/appointment.mp3";
    /** The planted bug: every receipt is charged, also one that came before. */
    private static final boolean BUG = "1".equals(System.getenv("REMINDERS_BUG"));

    private final HttpClient http = HttpClient.newHttpClient();
    private final String url;
    private final Map<String, String> keys;
    /** By message id and number: called, answered, missed. */
    private final Map<String, String> calls = new LinkedHashMap<>();
    private BigDecimal bill = BigDecimal.ZERO;

    Reminders(String url, String appkey, String secretkey) {
        this.url = url;
        this.keys = Map.of("appkey", appkey, "secretkey", secretkey);
    }

    /** Place a call. */
    void remind(String phone) throws IOException, InterruptedException {
        String reply = post("/api/voiceSms/gpsend",
                Map.of("phone", phone, "country_code", "62", "show_phone", "1234567890", "url", AUDIO));
        if (!member(reply, "code").equals("0")) {
            throw new IOException("NXCloud refused: " + reply);
        }
        synchronized (this) {
            calls.putIfAbsent(member(reply, "messageid") + " " + phone, "called"); // its receipt may have been faster
        }
    }

    /** A receipt came; returns what NXCloud wants to read. */
    String receipt(Map<String, String> fields) {
        settle(fields.get("messageid") + " " + fields.get("phone"), fields.get("hangup_cause").equals("NORMAL_CLEARING"),
                fields.get("customer_price"), fields.get("size"));
        return "success";
    }

    /** Ask for the records of calls whose receipt is missing. */
    void reconcile() throws IOException, InterruptedException {
        LocalDate today = LocalDate.now(ZoneOffset.UTC);
        for (Map.Entry<String, String> call : Map.copyOf(calls).entrySet()) {
            if (!call.getValue().equals("called")) {
                continue;
            }
            String[] key = call.getKey().split(" ");
            String reply = post("/api/voiceSms/getVoiceCdr", Map.of("voiceType", "0", "messageid", key[0],
                    "start_time", today.minusDays(1) + " 00:00:00", "end_time", today.plusDays(2) + " 00:00:00",
                    "page_size", "10", "page", "1"));
            for (Matcher row = Pattern.compile("\\{[^{}]*\"messageid\"[^{}]*}").matcher(reply); row.find();) {
                if (key[1].endsWith(member(row.group(), "phone"))) { // records have it without the country code
                    settle(call.getKey(), member(row.group(), "result").equals("Successful connection"),
                            member(row.group(), "customer_price"), member(row.group(), "size"));
                }
            }
        }
    }

    synchronized String state(String phone) {
        return calls.entrySet().stream().filter(call -> call.getKey().endsWith(" " + phone)).findFirst().orElseThrow().getValue();
    }

    synchronized BigDecimal bill() {
        return bill;
    }

    private synchronized void settle(String key, boolean answered, String price, String size) {
        if (!calls.getOrDefault(key, "called").equals("called") && !BUG) {
            return; // the same receipt again
        }
        calls.put(key, answered ? "answered" : "missed");
        if (answered) {
            bill = bill.add(new BigDecimal(price).multiply(new BigDecimal(size)));
        }
    }

    private String post(String path, Map<String, String> form) throws IOException, InterruptedException {
        Map<String, String> all = new LinkedHashMap<>(keys);
        all.putAll(form);
        String body = all.entrySet().stream()
                .map(each -> each.getKey() + "=" + URLEncoder.encode(each.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path)).timeout(Duration.ofSeconds(10))
                .header("Content-Type", "application/x-www-form-urlencoded").POST(HttpRequest.BodyPublishers.ofString(body)).build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** A member of a flat JSON object: a text or a number. A project would use its JSON library. */
    private static String member(String json, String name) throws IOException {
        Matcher found = Pattern.compile("\"" + name + "\" *: *\"?([^\",}]*)").matcher(json);
        if (!found.find()) {
            throw new IOException("no " + name + " in " + json);
        }
        return found.group(1);
    }
}
