// Bench prints what the library costs over bare net/http and encoding/json:
//
//	go run ./internal/bench
//
// Each case is run by both, in turns of a few milliseconds, and the medians of
// the turns are compared, so that what else the machine does strikes both alike.
// The server runs in the same process, and its cost is part of both sides.
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
	return verification()
}

func exchanges() error {
	return withClients(0, func(client *videosdk.Client, bare *floor.Client) error {
		for _, pair := range floor.Exchanges(client, bare) {
			if err := alone(func() error { return compare(pair.Name, pair, 1, 101, 400) }); err != nil {
				return err
			}
			if err := compare(pair.Name+"/64-parallel", pair, 64, 101, 6); err != nil {
				return err
			}
		}
		return nil
	})
}

// alone does something on one processor: with more, what one caller at a time
// costs is drowned by what the scheduler spends on finding work for the others.
func alone(do func() error) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	return do()
}

func walk(delay time.Duration) error {
	return withClients(delay, func(client *videosdk.Client, bare *floor.Client) error {
		return compare(fmt.Sprintf("PhoneNumbers.All-10000/%v", delay), floor.Walk(client, bare), 1, 3, 1)
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
	return compare("WebhookVerifier.Verify", floor.Pair{
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
	}, 1, 101, 100)
}

// turn is what one turn of one side took.
type turn struct{ cpu, wall, allocs, bytes float64 }

// compare lets both sides take turns of n operations for each of so many
// callers, and prints the medians of ours over theirs.
func compare(name string, pair floor.Pair, callers, turns, n int) error {
	var ours, theirs []turn
	for i := range turns + 1 {
		for _, side := range []struct {
			do    func() error
			turns *[]turn
		}{{pair.Ours, &ours}, {pair.Theirs, &theirs}} {
			measured, err := take(side.do, callers, n)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if i > 0 { // the first turn connects
				*side.turns = append(*side.turns, measured)
			}
		}
	}
	operations := float64(callers * n)
	fmt.Printf("%-40s %9.3f %10.3f %17.1f %16.0f\n", name,
		median(ours, turn.cpuTime)/median(theirs, turn.cpuTime),
		median(ours, turn.wallTime)/median(theirs, turn.wallTime),
		(median(ours, turn.allocations)-median(theirs, turn.allocations))/operations,
		(median(ours, turn.size)-median(theirs, turn.size))/operations)
	return nil
}

func (t turn) cpuTime() float64     { return t.cpu }
func (t turn) wallTime() float64    { return t.wall }
func (t turn) allocations() float64 { return t.allocs }
func (t turn) size() float64        { return t.bytes }

func median(turns []turn, of func(turn) float64) float64 {
	values := make([]float64, len(turns))
	for i, t := range turns {
		values[i] = of(t)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// take makes n operations for each of so many callers.
func take(do func() error, callers, n int) (turn, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	cpu, started := cpuTime(), time.Now()
	errs := make(chan error, callers)
	var group sync.WaitGroup
	for range callers {
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
		return turn{}, err
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
