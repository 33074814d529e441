// Package reminders reminds people by phone. NXCloud places the calls; its receipts, or its record query, say how they ended.
package reminders

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const audio = "https://files.example.com/appointment.mp3"

// The planted bug: every receipt is charged, also one that came before.
var bug = os.Getenv("REMINDERS_BUG") == "1"

type call struct{ messageID, phone string }

// Reminders is safe for use by several goroutines.
type Reminders struct {
	url, appkey, secretkey string
	lock                   sync.Mutex
	calls                  map[call]string // called, answered, missed
	bill                   int             // in millionths
}

// New makes a client of NXCloud at this URL.
func New(url, appkey, secretkey string) *Reminders {
	return &Reminders{url: url, appkey: appkey, secretkey: secretkey, calls: map[call]string{}}
}

// Remind places a call.
func (r *Reminders) Remind(phone string) error {
	var reply struct{ Code, MessageID string }
	err := r.post("/api/voiceSms/gpsend", url.Values{
		"phone": {phone}, "country_code": {"62"}, "show_phone": {"1234567890"}, "url": {audio},
	}, &reply)
	if err != nil {
		return err
	}
	if reply.Code != "0" {
		return fmt.Errorf("NXCloud refused: %s", reply.Code)
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	key := call{reply.MessageID, phone}
	if r.calls[key] == "" { // its receipt may have been faster
		r.calls[key] = "called"
	}
	return nil
}

// ServeHTTP takes a receipt, and answers what NXCloud wants to read.
func (r *Reminders) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	answered := request.FormValue("hangup_cause") == "NORMAL_CLEARING"
	price, _ := strconv.ParseFloat(request.FormValue("customer_price"), 64)
	size, _ := strconv.Atoi(request.FormValue("size"))
	r.settle(call{request.FormValue("messageid"), request.FormValue("phone")}, answered, price, size)
	fmt.Fprint(w, "success")
}

// Reconcile asks for the records of calls whose receipt is missing.
func (r *Reminders) Reconcile() error {
	day := func(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format("2006-01-02 00:00:00") }
	for _, missing := range r.in("called") {
		var reply struct {
			Info struct {
				Rows []struct {
					Phone, Result string
					Price         float64 `json:"customer_price"`
					Size          int
				}
			}
		}
		err := r.post("/api/voiceSms/getVoiceCdr", url.Values{
			"voiceType": {"0"}, "messageid": {missing.messageID}, "start_time": {day(-1)}, "end_time": {day(2)},
			"page_size": {"10"}, "page": {"1"},
		}, &reply)
		if err != nil {
			return err
		}
		for _, row := range reply.Info.Rows {
			if strings.HasSuffix(missing.phone, row.Phone) { // records have it without the country code
				r.settle(missing, row.Result == "Successful connection", row.Price, row.Size)
			}
		}
	}
	return nil
}

// State is what is known of the call to phone.
func (r *Reminders) State(phone string) string {
	r.lock.Lock()
	defer r.lock.Unlock()
	for key, state := range r.calls {
		if key.phone == phone {
			return state
		}
	}
	return ""
}

// Bill is what all calls cost, in millionths.
func (r *Reminders) Bill() int {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.bill
}

func (r *Reminders) in(state string) (found []call) {
	r.lock.Lock()
	defer r.lock.Unlock()
	for key, each := range r.calls {
		if each == state {
			found = append(found, key)
		}
	}
	return found
}

func (r *Reminders) settle(key call, answered bool, price float64, size int) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if state := r.calls[key]; state != "" && state != "called" && !bug {
		return // the same receipt again
	}
	r.calls[key] = "missed"
	if answered {
		r.calls[key] = "answered"
		r.bill += int(price*1e6+0.5) * size
	}
}

func (r *Reminders) post(path string, form url.Values, result any) error {
	form.Set("appkey", r.appkey)
	form.Set("secretkey", r.secretkey)
	client := http.Client{Timeout: 10 * time.Second}
	reply, err := client.PostForm(r.url+path, form)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	return json.NewDecoder(reply.Body).Decode(result)
}
