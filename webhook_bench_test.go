package videosdk_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// bareEvent is what somebody would write who needs these fields and nothing
// else.
type bareEvent struct {
	WebhookType string `json:"webhookType"`
	Data        struct {
		CallID    string     `json:"callId"`
		Type      string     `json:"type"`
		RoomID    string     `json:"roomId"`
		SessionID string     `json:"sessionId"`
		AgentID   string     `json:"agentId"`
		GatewayID string     `json:"gatewayId"`
		RuleID    string     `json:"ruleId"`
		To        string     `json:"to"`
		From      string     `json:"from"`
		Status    string     `json:"status"`
		Timestamp time.Time  `json:"timestamp"`
		Start     *time.Time `json:"start"`
		End       *time.Time `json:"end"`
		MetaData  struct {
			CampaignID string `json:"campaignId"`
		} `json:"metaData"`
	} `json:"data"`
}

// BenchmarkVerify runs Verify and its bare parts in turn, so that both meet the
// same machine, and reports how many times as long Verify takes.
func BenchmarkVerify(b *testing.B) {
	body, signature := []byte(answeredEvent), vendor().sign(answeredEvent)
	raw, err := base64.StdEncoding.DecodeString(signature)
	require.NoError(b, err)
	verifier := vendor().verifier(b)
	key := &vendor().key.PublicKey

	bare := func() error {
		digest := sha256.Sum256(body)
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], raw); err != nil {
			return err
		}
		var event bareEvent
		return json.Unmarshal(body, &event)
	}
	ours := func() error {
		_, err := verifier.Verify(b.Context(), body, signature)
		return err
	}
	var bareTimes, ourTimes []time.Duration
	for b.Loop() {
		bareTimes = append(bareTimes, timeOf(b, bare))
		ourTimes = append(ourTimes, timeOf(b, ours))
	}
	bareTime, ourTime := median(bareTimes), median(ourTimes)
	b.ReportMetric(float64(bareTime), "bare-ns/op")
	b.ReportMetric(float64(ourTime), "ns/op")
	b.ReportMetric(float64(ourTime)/float64(bareTime), "x-bare")
}

// median is what others on the same machine disturb least.
func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func timeOf(b *testing.B, f func() error) time.Duration {
	b.Helper()
	began := time.Now()
	err := f()
	took := time.Since(began)
	if err != nil {
		b.Fatal(err)
	}
	return took
}

func BenchmarkParseEvent(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := videosdk.ParseEvent([]byte(answeredEvent)); err != nil {
			b.Fatal(err)
		}
	}
}
