package videosdktest

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// webhook is a subscription, as the API shows it.
type webhook struct {
	ID        string `json:"id"`
	URL       string `json:"url"`
	Events    list   `json:"events"`
	CreatedAt string `json:"createdAt"`
	UpdatedAt string `json:"updatedAt"`
}

func (s *Server) routeWebhooks(rt *router) {
	const base = "/v2/sip/webhooks"
	rt.handle(http.MethodPost, base, s.createWebhook)
	rt.handle(http.MethodGet, base, s.listWebhooks)
	rt.handle(http.MethodGet, base+"/{webhookId}", with(s.findWebhook, s.getWebhook))
	rt.handle(http.MethodPatch, base+"/{webhookId}", with(s.findWebhook, s.updateWebhook))
	rt.handle(http.MethodPut, base+"/{webhookId}", with(s.findWebhook, s.updateWebhook)) // the spelling of one page
	rt.handle(http.MethodDelete, base+"/{webhookId}", with(s.findWebhook, s.deleteWebhook))
	rt.open(http.MethodGet, "/v2/public/rsa-public-key", s.getPublicKey)
}

// webhookParams are the fields of a webhook that can be set.
type webhookParams struct {
	URL    *string   `json:"url"`
	Events *[]string `json:"events"`
}

func (p webhookParams) check() error {
	switch {
	case p.URL != nil && !isWebURL(*p.URL):
		return badRequest("url must be an absolute http or https URL")
	case p.Events != nil && len(*p.Events) == 0:
		return badRequest("events must not be empty")
	}
	return checkEvents(or(p.Events, nil))
}

func isWebURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// checkEvents answers 500 to the name of an unknown event, as the API does.
func checkEvents(events []string) error {
	for _, event := range events {
		if !slices.Contains(sipEvents(), event) {
			return &statusError{status: http.StatusInternalServerError, text: http.StatusText(http.StatusInternalServerError)}
		}
	}
	return nil
}

func (p webhookParams) apply(w *webhook) {
	w.URL = or(p.URL, w.URL)
	w.Events = unique(or(p.Events, []string(w.Events)))
	w.UpdatedAt = timestamp(time.Now())
}

func (s *Server) createWebhook(r *request) (answer, error) {
	var p webhookParams
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	switch {
	case p.URL == nil:
		return answer{}, badRequest("url is required")
	case p.Events == nil:
		return answer{}, badRequest("events is required")
	}
	if err := p.check(); err != nil {
		return answer{}, err
	}
	w := &webhook{ID: newID("wh_"), CreatedAt: timestamp(time.Now())}
	p.apply(w)
	s.account.webhooks.add(w.ID, w)
	return created(w), nil
}

func (s *Server) listWebhooks(r *request) (answer, error) {
	query := r.URL.Query()
	search := query.Get("search")
	found := s.account.webhooks.where(func(w *webhook) bool { return contains(w.URL, search) })
	webhooks, err := paginate(query, found, usualPageSize())
	return ok(webhooks), err
}

// findWebhook returns the webhook that a path names.
func (s *Server) findWebhook(r *request) (*webhook, error) {
	w := s.account.webhooks.get(r.PathValue("webhookId"))
	if w == nil {
		return nil, notFound("Webhook not found")
	}
	return w, nil
}

func (s *Server) getWebhook(_ *request, w *webhook) (answer, error) {
	return ok(w), nil
}

func (s *Server) updateWebhook(r *request, w *webhook) (answer, error) {
	var p webhookParams
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if err := p.check(); err != nil {
		return answer{}, err
	}
	p.apply(w)
	return ok(w), nil
}

func (s *Server) deleteWebhook(_ *request, w *webhook) (answer, error) {
	s.account.webhooks.remove(w.ID)
	s.outbox.drop(w.ID)
	return ok(message{"Webhook deleted successfully"}), nil
}

// getPublicKey may have to make the key first, which takes long and concerns
// nobody else, so it does without the lock.
func (s *Server) getPublicKey(*request) (answer, error) {
	s.mu.Unlock()
	defer s.mu.Lock()
	return ok(struct {
		PublicKey string `json:"publicKey"`
	}{s.outbox.keys.publicPEM()}), nil
}
