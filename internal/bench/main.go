//go:build unix

// Bench prints what the library costs over bare net/http and encoding/json:
//
//	go run ./internal/bench
//
// Each case is run by both, in turns of ten milliseconds, and each turn is compared
// with the one beside it, so that what else the machine does strikes both alike.
// What is printed is the median of these comparisons. The server runs in the same
// process, and its cost is part of both sides.
package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/internal/floor"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	fmt.Printf("%-40s %9s %10s %17s %16s\n", "case", "ratio_cpu", "ratio_wall", "allocs_over_floor", "bytes_over_floor")
	if err := exchanges(); err != nil {
		return err
	}
	for _, delay := range []time.Duration{0, 20 * time.Millisecond} {
		if err := walk(delay); err != nil {
			return err
		}
	}
	if err := decoding(); err != nil {
		return err
	}
	return verification()
}

// exchanges begins anew several times, because which of two connections is the
// faster one is a matter of luck, which lasts as long as they do.
func exchanges() error {
	const rounds, turns = 9, 40
	var contests []*contest
	for range rounds {
		err := withClients(0, func(client *videosdk.Client, bare *floor.Client) error {
			for i, pair := range floor.Exchanges(client, bare) {
				if len(contests) == 2*i {
					contests = append(contests,
						&contest{name: pair.Name, callers: 1},
						&contest{name: pair.Name + "/64-parallel", callers: 64})
				}
				if err := alone(func() error { return contests[2*i].run(pair, turns) }); err != nil {
					return err
				}
				if err := contests[2*i+1].run(pair, turns); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, c := range contests {
		c.print()
	}
	return nil
}

// alone does something on one processor: with more, what one caller at a time
// costs is drowned by what the scheduler spends on finding work for the others.
func alone(do func() error) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	return do()
}

func decoding() error {
	pair, err := floor.Decoding()
	if err != nil {
		return err
	}
	c := contest{name: pair.Name, callers: 1}
	if err := alone(func() error { return c.run(pair, 360) }); err != nil {
		return err
	}
	c.print()
	return nil
}

func walk(delay time.Duration) error {
	return withClients(delay, func(client *videosdk.Client, bare *floor.Client) error {
		c := contest{name: fmt.Sprintf("PhoneNumbers.All-10000/%v", delay), callers: 1}
		if err := c.run(floor.Walk(client, bare), 4); err != nil {
			return err
		}
		c.print()
		return nil
	})
}

func withClients(delay time.Duration, do func(*videosdk.Client, *floor.Client) error) error {
	server := floor.NewServer(delay)
	defer server.Close()
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(server.URL))
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	bare := floor.New(server.URL)
	defer bare.Close()
	return do(client, bare)
}

// verification compares the verification of a webhook with the bare parts of it.
func verification() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	body := []byte(`{"webhookType":"call-answered","data":{"callId":"call_123456789","roomId":"room_123456","sessionId":"sess_123456","to":"+14155550123","from":"+14155559876","status":"answered","metadata":{"campaignId":"cmp_123"},"timelog":[{"status":"initiated","timestamp":"2025-08-21T11:45:00.000Z"},{"status":"answered","timestamp":"2025-08-21T11:45:09.000Z"}]}}`)
	digest := sha256.Sum256(body)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return err
	}
	pinned, err := videosdk.PinnedKey(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)}))
	if err != nil {
		return err
	}
	verifier, header := videosdk.NewWebhookVerifier(pinned), base64.StdEncoding.EncodeToString(signature)
	c := contest{name: "WebhookVerifier.Verify", callers: 1}
	err = c.run(floor.Pair{
		Ours: func() error {
			_, err := verifier.Verify(context.Background(), body, header)
			return err
		},
		Theirs: func() error {
			raw, err := base64.StdEncoding.DecodeString(header)
			if err != nil {
				return err
			}
			digest := sha256.Sum256(body)
			if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], raw); err != nil {
				return err
			}
			var event struct {
				Type string     `json:"webhookType"`
				Data floor.Call `json:"data"`
			}
			return json.Unmarshal(body, &event)
		},
	}, 200)
	if err != nil {
		return err
	}
	c.print()
	return nil
}

// contest is a case and what its turns have come to.
type contest struct {
	name    string
	callers int // at the same time
	n       int // operations of each of them in a turn; 0 until it is known
	cpu     []float64
	wall    []float64
	allocs  []float64
	bytes   []float64
}

// long is how long a turn is to be. What else the machine does takes longer, as a
// rule, and so strikes both of two neighbouring turns.
const long = 10 * time.Millisecond

// run lets both sides take so many turns more, each of them first as often as the
// other.
func (c *contest) run(pair floor.Pair, turns int) error {
	if err := c.prepare(pair); err != nil {
		return err
	}
	for i := range turns {
		var ours, theirs turn
		sides := []side{{pair.Ours, &ours}, {pair.Theirs, &theirs}}
		if i%2 == 1 {
			slices.Reverse(sides)
		}
		for _, s := range sides {
			measured, err := c.take(s.do, c.n)
			if err != nil {
				return err
			}
			*s.turn = measured
		}
		operations := float64(c.callers * c.n)
		c.cpu = append(c.cpu, ours.cpu/theirs.cpu)
		c.wall = append(c.wall, ours.wall/theirs.wall)
		c.allocs = append(c.allocs, (ours.allocs-theirs.allocs)/operations)
		c.bytes = append(c.bytes, (ours.bytes-theirs.bytes)/operations)
	}
	return nil
}

type side struct {
	do   func() error
	turn *turn
}

// prepare lets both sides connect, and finds out how many operations make a
// turn.
func (c *contest) prepare(pair floor.Pair) error {
	if _, err := c.take(pair.Ours, 1); err != nil {
		return err
	}
	if _, err := c.take(pair.Theirs, 1); err != nil || c.n > 0 {
		return err
	}
	const few = 3
	first, err := c.take(pair.Theirs, few)
	c.n = max(1, int(few*float64(long)/first.wall))
	return err
}

func (c *contest) print() {
	fmt.Printf("%-40s %9.3f %10.3f %17.1f %16.0f\n", c.name, median(c.cpu), median(c.wall), median(c.allocs), median(c.bytes))
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// turn is what one turn of one side took.
type turn struct{ cpu, wall, allocs, bytes float64 }

// take makes n operations for each of the callers.
func (c *contest) take(do func() error, n int) (turn, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, started := cpuTime(), time.Now()
	errs := make(chan error, c.callers)
	var group sync.WaitGroup
	for range c.callers {
		group.Go(func() {
			for range n {
				if err := do(); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	group.Wait()
	wall, spent := time.Since(started), cpuTime()-cpu
	runtime.ReadMemStats(&after)
	select {
	case err := <-errs:
		return turn{}, fmt.Errorf("%s: %w", c.name, err)
	default:
	}
	return turn{
		cpu: float64(spent), wall: float64(wall),
		allocs: float64(after.Mallocs - before.Mallocs), bytes: float64(after.TotalAlloc - before.TotalAlloc),
	}, nil
}

// cpuTime returns what this process has used of the processors.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
