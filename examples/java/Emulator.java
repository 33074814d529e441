import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Copy this file: one tenant of a running voice-emulator for one test, on a manual clock, with credentials of its own. It needs Java
 * 11 and JUnit; JSON is read by member name, since Java has no parser of it.
 */
final class Emulator implements AutoCloseable {
    /** What the client uses in place of the provider's URL. */
    final String url;

    private final HttpClient http = HttpClient.newHttpClient();
    private final String made;
    private final String path;

    Emulator(String provider, String receiver) {
        made = call("POST", "/v1/tenants", "{\"clock\": \"manual\", \"callback_urls\": {\"" + provider + "\": \"" + receiver + "\"}}");
        path = "/v1/tenants/" + text(made, "id");
        url = text(call("GET", "/health", null), "traffic");
    }

    /** One of the tenant's credentials at a provider, such as appkey. */
    String credential(String provider, String name) {
        String all = made.substring(made.indexOf("\"credentials\""));
        return text(all.substring(all.indexOf("\"" + provider + "\"")), name);
    }

    /** Put a scenario in force: the name of a shipped one, or YAML. */
    void load(String scenario) {
        call("PUT", path + "/scenario", scenario.contains("\n") ? scenario : "{\"name\": \"" + scenario + "\"}");
    }

    /** Let seconds pass. Returns after the pushes that fell due were attempted. */
    void advance(int seconds) {
        call("POST", path + "/clock/advance", "{\"seconds\": " + seconds + "}");
    }

    /** Let everything happen that is pending. */
    void advance() {
        call("POST", path + "/clock/advance", "{\"to\": \"idle\"}");
    }

    /** The first push for a number, as JSON: its fields, and how the receiver answered. */
    String waitForCallback(String number) {
        String query = "for=callbacks&timeout=5s&number=" + URLEncoder.encode(number, StandardCharsets.UTF_8);
        String waited = call("GET", path + "/wait?" + query, null);
        assertTrue(waited.contains("\"satisfied\": true"), "no push for " + number + " within 5 s");
        return waited;
    }

    /** Fail where the client broke the provider's contract. */
    void assertNoViolations() {
        String found = call("GET", path + "/violations?severity=error", null);
        assertEquals("{\"violations\": [], \"next\": null}", found.strip());
    }

    /** Assert, and only then delete the tenant: its findings go with it. */
    @Override
    public void close() {
        try {
            assertNoViolations();
        } finally {
            call("DELETE", path, null);
        }
    }

    /** The first member of this name in a JSON text, if it is a text. */
    static String text(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\": *\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(json);
        assertTrue(found.find(), "no " + name + " in " + json);
        return found.group(1);
    }

    private String call(String method, String path, String body) {
        String control = System.getenv().getOrDefault("VOICE_EMULATOR_CONTROL", "http://127.0.0.1:4881");
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(control + path));
        if (body == null) {
            request.method(method, HttpRequest.BodyPublishers.noBody());
        } else {
            request.method(method, HttpRequest.BodyPublishers.ofString(body));
            request.header("Content-Type", body.startsWith("{") ? "application/json" : "application/yaml");
        }
        String token = System.getenv("VOICE_EMULATOR_CONTROL_TOKEN");
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        try {
            HttpResponse<String> reply = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            assertTrue(reply.statusCode() < 300, method + " " + path + ": " + reply.body());
            return reply.body();
        } catch (IOException | InterruptedException error) {
            throw new AssertionError(method + " " + path, error);
        }
    }
}
