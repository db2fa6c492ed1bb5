package videosdktest

import (
	"slices"
	"time"
)

const (
	eventBatchStarted   = "batchcall-started"
	eventBatchCompleted = "batchcall-completed"

	// batchParallel is how many calls of a batch are up at once.
	batchParallel = 10

	// batchTalk is how long a call of a batch lasts whose callee does not hang
	// up: whoever speaks to a list of people comes to an end.
	batchTalk = time.Second
)

// batchRun is what a batch needs only while it is under way.
type batchRun struct {
	next  *alarm           // the next step: the end of parsing, or the next time that dialling is allowed
	queue []*batchRecord   // still to be dialled
	up    map[string]*call // by the id of the record
}

func (b *batch) isRunning() bool { return b.Status == batchRunning || b.Status == batchCancelling }

func (s *Server) createBatch(r *request) (answer, error) {
	var p struct {
		batchParams
		BatchID string `json:"batchId"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if err := p.Webhook.check(); err != nil {
		return answer{}, err
	}
	b, err := s.account.batchToCreate(p.BatchID)
	if err != nil {
		return answer{}, err
	}
	spec, asDraft := p.apply(newBatchSpec()), or(p.SaveAsDraft, false)
	if err := s.account.checkCommit(b, spec, asDraft); err != nil {
		return answer{}, err
	}
	if b == nil {
		b = s.addBatch(batchDraft)
	}
	b.Webhook = or(p.Webhook, batchWebhook{})
	s.commit(b, spec, asDraft)
	return created(s.batchObject(b)), nil
}

// batchToCreate returns the batch whose file has been parsed for the new one,
// nil for none.
func (a *account) batchToCreate(id string) (*batch, error) {
	b := a.batches.get(id)
	switch {
	case id == "":
		return nil, nil
	case b == nil:
		return nil, errUnknownBatch()
	case b.Status != batchParsed && b.Status != batchDraft:
		return nil, badRequest("Batch call must be parsed to be created, but is %s", b.Status)
	}
	return b, nil
}

// updateBatch takes a batch that has been parsed for a draft.
func (s *Server) updateBatch(r *request, b *batch) (answer, error) {
	var p batchParams
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	was := b.batchSpec
	switch b.Status {
	case batchDraft, batchScheduled:
	case batchParsed:
		if was.Timing == "" { // nobody has said anything of it yet
			was = newBatchSpec()
		}
	default:
		return answer{}, badRequest("Batch call cannot be updated while it is %s", b.Status)
	}
	if err := p.Webhook.check(); err != nil {
		return answer{}, err
	}
	spec, asDraft := p.apply(was), or(p.SaveAsDraft, b.Status != batchScheduled)
	if err := s.account.checkCommit(b, spec, asDraft); err != nil {
		return answer{}, err
	}
	b.Webhook = or(p.Webhook, b.Webhook)
	s.commit(b, spec, asDraft)
	return ok(s.batchObject(b)), nil
}

// checkCommit tells whether a batch, nil for a new one, can go on as spec says.
func (a *account) checkCommit(b *batch, spec batchSpec, asDraft bool) error {
	if err := a.checkBatch(spec); err != nil {
		return err
	}
	switch {
	case asDraft:
		return nil
	case b == nil:
		return badRequest("batchId is required unless saveAsDraft")
	case len(b.Records) == 0:
		return badRequest("Batch call has no records")
	case spec.Timing == timingScheduled && spec.start().Before(time.Now()):
		return badRequest("scheduledDate and scheduledTime are in the past")
	}
	return nil
}

// commit makes a batch a draft, or lets it take its course.
func (s *Server) commit(b *batch, spec batchSpec, asDraft bool) {
	s.cancel(b.run.next)
	b.batchSpec = spec
	switch {
	case asDraft:
		s.setBatchStatus(b, batchDraft)
	case spec.Timing == timingScheduled:
		b.Began = spec.start()
		s.setBatchStatus(b, batchScheduled)
		b.run.next = s.later(time.Until(spec.opening(b.Began)), func() { s.launch(b) })
	default:
		s.launch(b)
	}
}

func (s *Server) launch(b *batch) {
	b.Began = time.Now()
	b.run.queue = b.pending()
	b.run.up = make(map[string]*call)
	s.setBatchStatus(b, batchRunning)
	s.publishBatch(b, eventBatchStarted)
	s.dialNext(b)
}

// dialNext keeps as many calls up as a batch may have, and ends it when there
// are no more.
func (s *Server) dialNext(b *batch) {
	s.cancel(b.run.next)
	for len(b.run.queue) > 0 && len(b.run.up) < batchParallel {
		now := time.Now()
		if opening := b.opening(now); opening.After(now) {
			b.run.next = s.later(opening.Sub(now), func() { s.dialNext(b) })
			return
		}
		record := b.run.queue[0]
		b.run.queue = b.run.queue[1:]
		s.dialRecord(b, record)
	}
	if len(b.run.up) == 0 {
		s.endBatch(b)
	}
}

func (s *Server) endBatch(b *batch) {
	if b.Status == batchCancelling {
		s.setBatchStatus(b, batchCancelled)
		return
	}
	s.setBatchStatus(b, batchCompleted)
	s.publishBatch(b, eventBatchCompleted)
}

func (s *Server) dialRecord(b *batch, record *batchRecord) {
	record.Attempts++
	line, err := s.account.batchLine(b.batchSpec)
	if err != nil {
		record.set(recordNotConnected, err.Error())
		return
	}
	c := line.newCall(directionOutbound, record.PhoneNumber)
	c.Metadata = record.Metadata
	record.CallID = nullable(c.ID)
	record.set(recordInProgress, "")
	b.run.up[record.ID] = c
	life := callLife{onEnd: func() { s.endRecord(b, record, c) }}
	if s.scriptOf(c.To).HangUp <= 0 {
		life.longest = batchTalk
	}
	s.place(c, life)
}

// batchLine is the way out that the calls of a batch take, as long as it is
// there.
func (a *account) batchLine(spec batchSpec) (line, error) {
	if err := a.checkBatchLine(spec); err != nil {
		return line{}, err
	}
	return a.lineOfRule(spec.RuleID, a.numbers.get(spec.PhoneNumberID).E164)
}

func (s *Server) endRecord(b *batch, record *batchRecord, c *call) {
	delete(b.run.up, record.ID)
	switch {
	case !c.Answered.IsZero():
		seconds := int(c.End.Sub(c.Answered).Seconds())
		record.CallDuration = &seconds
		record.set(recordCompleted, "")
	case b.Status == batchRunning && b.Retry.allows(c.Status, record.Attempts):
		record.set(recordScheduled, c.Status)
		b.run.queue = append(b.run.queue, record)
	case c.Status == statusEnded:
		record.set(recordCancelled, "")
	default:
		record.set(recordNotConnected, c.Status)
	}
	s.dialNext(b)
}

// cancelBatch may be repeated, also to be less graceful.
func (s *Server) cancelBatch(r *request, b *batch) (answer, error) {
	var p struct {
		Mode *string `json:"mode"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if err := checkOneOf("mode", p.Mode, "graceful", "immediate"); err != nil {
		return answer{}, err
	}
	switch b.Status {
	case batchScheduled, batchRunning, batchCancelling:
		s.abort(b, or(p.Mode, "graceful") == "immediate")
	case batchCancelled:
	default:
		return answer{}, badRequest("Batch call cannot be cancelled while it is %s", b.Status)
	}
	return ok(struct {
		Message string `json:"message"`
		BatchID string `json:"batchId"`
		Status  string `json:"status"`
	}{"Batch call cancelled successfully", b.ID, b.Status}), nil
}

// abort dials no more, and hangs up at once when it is immediate.
func (s *Server) abort(b *batch, immediate bool) {
	s.setBatchStatus(b, batchCancelling)
	b.run.queue = nil
	for _, record := range b.pending() {
		record.set(recordCancelled, "")
	}
	if immediate {
		for _, c := range b.run.up {
			s.setStatus(c, statusEnded)
		}
	}
	if b.Status == batchCancelling {
		s.dialNext(b)
	}
}

func (s *Server) publishBatch(b *batch, kind string) {
	if !slices.Contains(b.Webhook.Events, kind) {
		return
	}
	s.deliver([]subscriber{{b.ID, b.Webhook.Endpoint}}, "", event{Type: kind, Data: s.batchObject(b)})
}
