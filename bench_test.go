package videosdk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/internal/floor"
)

// contenders returns the library's client and the floor's, of one server.
func contenders(b *testing.B, delay time.Duration) (*videosdk.Client, *floor.Client) {
	server := floor.NewServer(delay)
	b.Cleanup(server.Close)
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(server.URL))
	require.NoError(b, err)
	b.Cleanup(client.CloseIdleConnections)
	bare := floor.New(server.URL)
	b.Cleanup(bare.Close)
	return client, bare
}

// compare runs both sides of a pair, one caller at a time and 64 at once.
func compare(b *testing.B, pair floor.Pair) {
	for _, side := range []struct {
		who string
		do  func() error
	}{{"videosdk", pair.Ours}, {"floor", pair.Theirs}} {
		b.Run(pair.Name+"/sequential/"+side.who, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := side.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(pair.Name+"/parallel/"+side.who, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32) // for each of two or more processors
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := side.do(); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkExchange(b *testing.B) {
	for _, pair := range floor.Exchanges(contenders(b, 0)) {
		compare(b, pair)
	}
}

func BenchmarkWalk(b *testing.B) {
	for _, delay := range []time.Duration{0, 20 * time.Millisecond} {
		b.Run(delay.String(), func(b *testing.B) {
			pair := floor.Walk(contenders(b, delay))
			for who, do := range map[string]func() error{"videosdk": pair.Ours, "floor": pair.Theirs} {
				b.Run(who, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						require.NoError(b, do())
					}
				})
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := videosdk.New("key", "secret"); err != nil {
			b.Fatal(err)
		}
	}
}
