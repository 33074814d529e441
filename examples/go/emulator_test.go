// Copy this file: one tenant of a running voice-emulator for one test. It needs Go and nothing else.
package reminders

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// Emulator is a tenant on a manual clock, with credentials of its own. URL is what the client uses in place of the provider's.
type Emulator struct {
	URL         string
	Credentials map[string]any
	path        string
	t           *testing.T
}

// Push is one attempt to push a receipt.
type Push struct {
	Number, Outcome, Reply string
	Fields                 map[string]any
}

// StartEmulator makes a tenant whose receipts go to receiver. When the test ends it asserts, and then deletes the tenant.
func StartEmulator(t *testing.T, provider, receiver string) *Emulator {
	t.Helper()
	e := &Emulator{t: t}
	var made struct {
		ID          string
		Credentials map[string]map[string]any
	}
	e.call("POST", "/v1/tenants", map[string]any{
		"clock": "manual", "callback_urls": map[string]string{provider: receiver},
	}, &made)
	e.path, e.Credentials = "/v1/tenants/"+url.PathEscape(made.ID), made.Credentials[provider]
	var health struct{ Traffic string }
	e.call("GET", "/health", nil, &health)
	e.URL = health.Traffic
	t.Cleanup(func() {
		if !t.Failed() { // before the tenant is deleted: its findings go with it
			e.AssertNoViolations()
		}
		e.call("DELETE", e.path, nil, nil)
	})
	return e
}

// Load puts a scenario in force: the name of a shipped one, or YAML.
func (e *Emulator) Load(scenario string) {
	e.t.Helper()
	if strings.Contains(scenario, "\n") {
		e.call("PUT", e.path+"/scenario", scenario, nil)
	} else {
		e.call("PUT", e.path+"/scenario", map[string]string{"name": scenario}, nil)
	}
}

// Advance lets seconds pass; 0 lets everything happen that is pending. It returns after the pushes were attempted.
func (e *Emulator) Advance(seconds int) {
	e.t.Helper()
	body := map[string]any{"to": "idle"}
	if seconds > 0 {
		body = map[string]any{"seconds": seconds}
	}
	e.call("POST", e.path+"/clock/advance", body, nil)
}

// WaitForCallback gives the first push for a number: its fields, and how the receiver answered.
func (e *Emulator) WaitForCallback(number string) Push {
	e.t.Helper()
	var waited struct {
		Satisfied bool
		Items     []Push
	}
	e.call("GET", e.path+"/wait?for=callbacks&timeout=5s&number="+url.QueryEscape(number), nil, &waited)
	if !waited.Satisfied {
		e.t.Fatalf("no push for %s within 5 s", number)
	}
	return waited.Items[0]
}

// AssertNoViolations fails where the client broke the provider's contract.
func (e *Emulator) AssertNoViolations() {
	e.t.Helper()
	var found struct {
		Violations []struct{ Rule, Message string }
	}
	e.call("GET", e.path+"/violations?severity=error", nil, &found)
	for _, each := range found.Violations {
		e.t.Errorf("%s: %s", each.Rule, each.Message)
	}
}

func (e *Emulator) call(method, path string, body, result any) {
	e.t.Helper()
	control := os.Getenv("VOICE_EMULATOR_CONTROL")
	if control == "" {
		control = "http://127.0.0.1:4881"
	}
	kind, data := "application/json", []byte{}
	if text, ok := body.(string); ok {
		kind, data = "application/yaml", []byte(text)
	} else if body != nil {
		data, _ = json.Marshal(body)
	}
	request, err := http.NewRequest(method, control+path, bytes.NewReader(data))
	if err != nil {
		e.t.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	if token := os.Getenv("VOICE_EMULATOR_CONTROL_TOKEN"); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		e.t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s", method, path, text)
	}
	if err == nil && result != nil {
		err = json.Unmarshal(text, result)
	}
	if err != nil {
		e.t.Fatal(err)
	}
}
