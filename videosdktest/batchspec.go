package videosdktest

import (
	"cmp"
	"slices"
	"time"
	_ "time/tzdata" // a batch may name any time zone, also where the system knows none
)

const (
	timingImmediate = "immediate"
	timingScheduled = "scheduled"
)

// batchSpec is what the owner of a batch says of it.
type batchSpec struct {
	Name          string      `json:"batchName"`
	Description   string      `json:"description"`
	PhoneNumberID string      `json:"phoneNumberId"`
	RuleID        string      `json:"routingRuleId"`
	Timing        nullable    `json:"timing"`
	Timezone      nullable    `json:"timezone"` // IANA name
	ScheduledTime nullable    `json:"scheduledTime"`
	ScheduledDate nullable    `json:"scheduledDate"`
	AllowedFrom   nullable    `json:"allowedFrom"`
	AllowedUntil  nullable    `json:"allowedUntil"`
	DaysOfWeek    []int       `json:"daysOfWeek"` // 0 is Sunday
	Retry         *batchRetry `json:"retry"`
}

// batchRetry says which records are dialled again.
type batchRetry struct {
	Enabled     bool `json:"enabled"`
	RetryOn     list `json:"retryOn"`
	MaxAttempts int  `json:"maxAttempts"` // in all
}

// batchWebhook is told of a batch alone.
type batchWebhook struct {
	Endpoint string `json:"endpoint"`
	Events   list   `json:"events"`
}

// batchParams are the fields of a batch that can be set, all optional as such.
type batchParams struct {
	Name          *string       `json:"batchName"`
	Description   *string       `json:"description"`
	PhoneNumberID *string       `json:"phoneNumberId"`
	RuleID        *string       `json:"routingRuleId"`
	Timing        *string       `json:"timing"`
	Timezone      *string       `json:"timezone"`
	ScheduledTime *string       `json:"scheduledTime"`
	ScheduledDate *string       `json:"scheduledDate"`
	AllowedFrom   *string       `json:"allowedFrom"`
	AllowedUntil  *string       `json:"allowedUntil"`
	DaysOfWeek    *[]int        `json:"daysOfWeek"`
	Retry         *batchRetry   `json:"retry"`
	Webhook       *batchWebhook `json:"webhook"`
	SaveAsDraft   *bool         `json:"saveAsDraft"`
}

// newBatchSpec returns the values of a request that sets nothing.
func newBatchSpec() batchSpec {
	return batchSpec{Timing: timingImmediate, Timezone: "Asia/Calcutta"}
}

func (p batchParams) apply(spec batchSpec) batchSpec {
	return batchSpec{
		Name:          or(p.Name, spec.Name),
		Description:   or(p.Description, spec.Description),
		PhoneNumberID: or(p.PhoneNumberID, spec.PhoneNumberID),
		RuleID:        or(p.RuleID, spec.RuleID),
		Timing:        nullable(or(p.Timing, string(spec.Timing))),
		Timezone:      nullable(or(p.Timezone, string(spec.Timezone))),
		ScheduledTime: nullable(or(p.ScheduledTime, string(spec.ScheduledTime))),
		ScheduledDate: nullable(or(p.ScheduledDate, string(spec.ScheduledDate))),
		AllowedFrom:   nullable(or(p.AllowedFrom, string(spec.AllowedFrom))),
		AllowedUntil:  nullable(or(p.AllowedUntil, string(spec.AllowedUntil))),
		DaysOfWeek:    or(p.DaysOfWeek, spec.DaysOfWeek),
		Retry:         cmp.Or(p.Retry, spec.Retry),
	}
}

// checkBatch tells whether the account can run a batch as spec says.
func (a *account) checkBatch(spec batchSpec) error {
	switch {
	case spec.Name == "":
		return badRequest("batchName is required")
	case spec.PhoneNumberID == "":
		return badRequest("phoneNumberId is required")
	case spec.RuleID == "":
		return badRequest("routingRuleId is required")
	}
	if err := a.checkBatchLine(spec); err != nil {
		return err
	}
	if err := spec.Retry.check(); err != nil {
		return err
	}
	return spec.checkTiming()
}

func (a *account) checkBatchLine(spec batchSpec) error {
	n := a.numbers.get(spec.PhoneNumberID)
	if n == nil || n.Released {
		return badRequest("phoneNumberId %q does not exist", spec.PhoneNumberID)
	}
	rule, err := a.outboundRule(spec.RuleID)
	if err != nil {
		return err
	}
	if !slices.Contains(rule.Numbers, n.E164) {
		return badRequest("Routing rule %s is not attached to phone number %s", rule.ID, n.E164)
	}
	return nil
}

// allows tells whether a record is dialled once more after a call that ended
// with a status.
func (r *batchRetry) allows(status string, attempts int) bool {
	return r != nil && r.Enabled && attempts < r.MaxAttempts && slices.Contains(r.RetryOn, status)
}

func (r *batchRetry) check() error {
	if r == nil || !r.Enabled {
		return nil
	}
	const maxAttempts = 3
	if r.MaxAttempts < 1 || r.MaxAttempts > maxAttempts {
		return badRequest("retry.maxAttempts must be between 1 and %d", maxAttempts)
	}
	for _, status := range r.RetryOn {
		if err := checkOneOf("retry.retryOn", &status,
			statusFailed, statusNotAnswered, statusRejected, statusMissed, statusAbandoned); err != nil {
			return err
		}
	}
	return nil
}

func (w *batchWebhook) check() error {
	if w == nil {
		return nil
	}
	if !isWebURL(w.Endpoint) {
		return badRequest("webhook.endpoint must be an absolute http or https URL")
	}
	if len(w.Events) == 0 {
		return badRequest("webhook.events must not be empty")
	}
	for _, event := range w.Events {
		if err := checkOneOf("webhook.events", &event, eventBatchStarted, eventBatchCompleted); err != nil {
			return err
		}
	}
	return nil
}

func (spec batchSpec) checkTiming() error {
	if err := checkOneOf("timing", (*string)(&spec.Timing), timingImmediate, timingScheduled); err != nil {
		return err
	}
	if !isTimezone(string(spec.Timezone)) {
		return badRequest("timezone %q is not an IANA time zone", string(spec.Timezone))
	}
	if err := spec.checkSchedule(); err != nil {
		return err
	}
	return spec.checkWindow()
}

// isTimezone refuses the two names that IANA does not know and package time does.
func isTimezone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "" && name != "Local"
}

// checkSchedule needs a date and a time of a scheduled batch. Those of any other
// have no effect, but a form.
func (spec batchSpec) checkSchedule() error {
	needed := spec.Timing == timingScheduled
	_, dateErr := time.Parse(time.DateOnly, string(spec.ScheduledDate))
	_, clockErr := timeOfDay(spec.ScheduledTime)
	if dateErr != nil && (needed || spec.ScheduledDate != "") || clockErr != nil && (needed || spec.ScheduledTime != "") {
		return badRequest("scheduledDate must be YYYY-MM-DD, and scheduledTime HH:MM")
	}
	return nil
}

func (spec batchSpec) checkWindow() error {
	for _, weekday := range spec.DaysOfWeek {
		if weekday < 0 || weekday > 6 {
			return badRequest("daysOfWeek must be between 0 and 6")
		}
	}
	if spec.AllowedFrom == "" && spec.AllowedUntil == "" {
		return nil
	}
	from, fromErr := timeOfDay(spec.AllowedFrom)
	until, untilErr := timeOfDay(spec.AllowedUntil)
	if fromErr != nil || untilErr != nil || from >= until {
		return badRequest("allowedFrom and allowedUntil must be HH:MM, one before the other")
	}
	return nil
}

const day = 24 * time.Hour

// timeOfDay reads HH:MM as the time since midnight.
func timeOfDay(clock nullable) (time.Duration, error) {
	const layout = "15:04"
	t, err := time.Parse(layout, string(clock))
	if len(clock) != len(layout) { // Parse would take one digit for the hour
		err = badRequest("%q is not HH:MM", string(clock))
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err
}

// start is when a scheduled batch is to begin.
func (spec batchSpec) start() time.Time {
	date, _ := time.ParseInLocation(time.DateOnly, string(spec.ScheduledDate), spec.location())
	clock, _ := timeOfDay(spec.ScheduledTime) // has been checked, and so has the date
	return atClock(date, clock)
}

// atClock is a time on a day, which need not have 24 hours.
func atClock(date time.Time, clock time.Duration) time.Time {
	return time.Date(date.Year(), date.Month(), date.Day(), 0, int(clock.Minutes()), 0, 0, date.Location())
}

// location is UTC for a time zone that has not been checked.
func (spec batchSpec) location() *time.Location {
	location, err := time.LoadLocation(string(spec.Timezone))
	if err != nil {
		return time.UTC
	}
	return location
}

// opening is the first moment, from now on, at which a batch that has begun may
// dial.
func (spec batchSpec) opening(now time.Time) time.Time {
	for ahead := 0; ; ahead++ {
		opens, closes := spec.window(now.In(spec.location()).AddDate(0, 0, ahead))
		if !slices.Contains(spec.days(), int(opens.Weekday())) || !now.Before(closes) {
			continue
		}
		if opens.After(now) {
			return opens
		}
		return now
	}
}

// window is when calls are allowed on the day of date.
func (spec batchSpec) window(date time.Time) (opens, closes time.Time) {
	if spec.AllowedFrom == "" {
		return atClock(date, 0), atClock(date, day)
	}
	from, _ := timeOfDay(spec.AllowedFrom) // has been checked, and so has the other
	until, _ := timeOfDay(spec.AllowedUntil)
	return atClock(date, from), atClock(date, until)
}

// days are the days of the week on which calls are allowed.
func (spec batchSpec) days() []int {
	if len(spec.DaysOfWeek) == 0 {
		return []int{0, 1, 2, 3, 4, 5, 6}
	}
	return spec.DaysOfWeek
}
