// Run with `go test -count=1` while an emulator runs (`voice-emulator serve`).
package reminders

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

const phone = "6281200010000"
const lost = "name: lost\nrules:\n  - name: no receipt comes\n    receipt: {lost: true}\n"

func start(t *testing.T) (*Emulator, *Reminders) {
	var service *Reminders
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { service.ServeHTTP(w, r) }))
	t.Cleanup(receiver.Close)
	emulator := StartEmulator(t, "nxcloud", receiver.URL+"/receipts")
	keys := emulator.Credentials
	service = New(emulator.URL, keys["appkey"].(string), keys["secretkey"].(string))
	return emulator, service
}

func remind(t *testing.T, service *Reminders) {
	t.Helper()
	if err := service.Remind(phone); err != nil {
		t.Fatal(err)
	}
}

func expect[T comparable](t *testing.T, wanted, found T) {
	t.Helper()
	if wanted != found {
		t.Errorf("wanted %v, found %v", wanted, found)
	}
}

func TestAnAnsweredCallIsSettledByItsReceipt(t *testing.T) {
	emulator, service := start(t)
	remind(t, service)
	expect(t, "called", service.State(phone))
	emulator.Advance(60)
	expect(t, "delivered", emulator.WaitForCallback(phone).Outcome)
	expect(t, "answered", service.State(phone))
}

func TestAReceiptThatComesTwiceIsChargedOnce(t *testing.T) {
	emulator, service := start(t)
	emulator.Load("duplicate-receipts")
	remind(t, service)
	emulator.Advance(0)
	expect(t, 36_000, service.Bill())
}

func TestALostReceiptIsReconciled(t *testing.T) {
	emulator, service := start(t)
	emulator.Load(lost)
	remind(t, service)
	emulator.Advance(0)
	expect(t, "called", service.State(phone))
	if err := service.Reconcile(); err != nil {
		t.Fatal(err)
	}
	expect(t, "answered", service.State(phone))
	expect(t, 36_000, service.Bill())
}
