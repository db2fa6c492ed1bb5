package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/jobtest"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHelp(t *testing.T) {
	jobtest.Help(t, run, "-call", "-supervisor", "-from", "-rule", "-briefing", "-ring", "-brief")
}

func TestAnEmulatedCallerIsHandedOver(t *testing.T) {
	jobtest.WithoutCredentials(t)
	out, err := jobtest.Output(t, run, "-brief", "20ms")
	require.NoError(t, err)
	assert.Contains(t, out, "emulator")
	assert.Regexp(t, `(?s)is being briefed\nmoving the caller\nthe caller and the supervisor talk in room (.+)\n$`, out)
}

func TestNothingIsDialledUnlessAllIsGiven(t *testing.T) {
	srv := jobtest.NewAccount(t)
	all := []string{"-call", "call_1", "-supervisor", "+14155550150", "-from", "+14155550100", "-rule", "rr_1"}
	for i := 0; i < len(all); i += 2 {
		_, err := jobtest.Output(t, run, append(append([]string{}, all[:i]...), all[i+2:]...)...)
		assert.ErrorContains(t, err, "nothing is dialled", "without %s", all[i])
	}
	assert.Empty(t, srv.Requests())
}

// scene is a caller who talks to an agent, in a bubble where time costs nothing.
type scene struct {
	t        *testing.T
	srv      *videosdktest.Server
	client   *videosdk.Client
	agent    string // the room where the caller is
	transfer transfer
}

func inBubble(t *testing.T, f func(*scene), opts ...videosdktest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := videosdktest.NewServer(append(opts, videosdktest.WithTB(t), videosdktest.InMemory())...)
		srv.AddPhoneNumbers("+14155550100")
		client := jobtest.NewClient(t, srv, videosdk.WithHTTPClient(srv.HTTPClient()))
		_, err := client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
			Name: "In", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155550100"}, AgentID: "agent_support",
		})
		require.NoError(t, err)
		rule, err := client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
			Name: "Out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
		})
		require.NoError(t, err)
		callID, err := srv.InboundCall("+14155550199", "+14155550100")
		require.NoError(t, err)
		call, err := client.Calls.WaitAnswered(t.Context(), callID)
		require.NoError(t, err)
		f(&scene{t, srv, client, call.RoomID, transfer{
			caller: callID, supervisor: "+14155550150", from: "+14155550100", rule: rule.ID,
			ring: 30 * time.Second, brief: 20 * time.Second,
		}})
	})
}

func (s *scene) run(ctx context.Context) (stdout string, err error) {
	var out bytes.Buffer
	err = s.transfer.carryOut(ctx, s.client, &out)
	return out.String(), err
}

// caller and supervisor return the calls as they are now.
func (s *scene) caller() *videosdk.Call { return s.get(s.transfer.caller) }
func (s *scene) supervisor() *videosdk.Call {
	s.t.Helper()
	require.Equal(s.t, 1, s.srv.DialCount("+14155550150"), "the supervisor's phone rings once")
	return s.get(s.srv.Dials()[0].CallID)
}

func (s *scene) get(callID string) *videosdk.Call {
	s.t.Helper()
	call, err := s.client.Calls.Get(s.t.Context(), callID)
	require.NoError(s.t, err)
	return call
}

// staysWithTheAgent checks that nothing has become of the transfer.
func (s *scene) staysWithTheAgent() {
	s.t.Helper()
	assert.Equal(s.t, s.agent, s.caller().RoomID)
	supervisor := s.supervisor()
	assert.True(s.t, supervisor.IsOver(), "nobody waits for the caller")
	room, err := s.client.Rooms.Validate(s.t.Context(), supervisor.RoomID)
	require.NoError(s.t, err)
	assert.False(s.t, room.Valid, "the room is closed")
}

func TestTheCallerJoinsTheSupervisorAfterTheBriefing(t *testing.T) {
	inBubble(t, func(s *scene) {
		out, err := s.run(s.t.Context())
		require.NoError(s.t, err)
		supervisor := s.supervisor()
		assert.Equal(s.t, videosdk.CallAnswered, supervisor.Status)
		assert.NotEqual(s.t, s.agent, supervisor.RoomID)
		assert.Equal(s.t, supervisor.RoomID, s.caller().RoomID)
		assert.True(s.t, strings.HasSuffix(out, "talk in room "+supervisor.RoomID+"\n"))
		assert.GreaterOrEqual(s.t, time.Since(*supervisor.Start), 20*time.Second, "not before the briefing")
	})
}

func TestTheCallerStaysWhenTheSupervisorIsNotThere(t *testing.T) {
	for name, habit := range map[string]func(*videosdktest.Callee) *videosdktest.Callee{
		"rejects":       (*videosdktest.Callee).Rejects,
		"never answers": (*videosdktest.Callee).NeverAnswers,
		"hangs up during the briefing": func(c *videosdktest.Callee) *videosdktest.Callee {
			return c.HangsUpAfter(5 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(s *scene) {
				habit(s.srv.Callee("+14155550150"))
				out, err := s.run(s.t.Context())
				require.Error(s.t, err)
				assert.Contains(s.t, out, "the caller stays in room "+s.agent)
				s.staysWithTheAgent()
				assert.Equal(s.t, videosdk.CallAnswered, s.caller().Status)
			})
		})
	}
}

// As in a process that is frozen for most of the briefing: nobody watches.
func TestTheCallerStaysWhenTheSupervisorHasHungUpUnnoticed(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.srv.Callee("+14155550150").HangsUpAfter(5 * time.Second)
		time.AfterFunc(2*time.Second, func() {
			s.srv.Inject(videosdktest.Fault{Path: "/v2/sip/call/{callId}", Times: -1, Delay: time.Hour})
		})
		time.AfterFunc(20*time.Second, s.srv.ClearFaults)
		_, err := s.run(s.t.Context())
		require.ErrorContains(s.t, err, "the supervisor has hung up")
		s.staysWithTheAgent()
	})
}

// As a process that is frozen when it has looked whether the supervisor is there.
func TestACallerIsNotMovedLongAfterTheLastLook(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.intercept("/v2/sip/call/switch-room", func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			_ = s.srv.HangUp(s.srv.Dials()[0].CallID)
			<-req.Context().Done()
			return next.RoundTrip(req)
		})
		_, err := s.run(s.t.Context())
		require.ErrorIs(s.t, err, context.DeadlineExceeded)
		s.staysWithTheAgent()
	})
}

func TestTheSupervisorIsNotKeptWhenTheCallerHangsUp(t *testing.T) {
	inBubble(t, func(s *scene) {
		time.AfterFunc(10*time.Second, func() { _ = s.srv.HangUp(s.transfer.caller) })
		_, err := s.run(s.t.Context())
		require.ErrorContains(s.t, err, "the caller has hung up")
		s.staysWithTheAgent()
	})
}

func TestAnInterruptionLeavesNobodyAlone(t *testing.T) {
	inBubble(t, func(s *scene) {
		ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
		defer cancel()
		_, err := s.run(ctx)
		require.ErrorIs(s.t, err, context.DeadlineExceeded)
		s.staysWithTheAgent()
	})
}

// intercept has the requests to a path sent by a function.
func (s *scene) intercept(path string, send func(next http.RoundTripper, req *http.Request) (*http.Response, error)) {
	s.client = jobtest.NewClient(s.t, s.srv, videosdk.WithHTTPClient(s.srv.HTTPClient()),
		jobtest.Intercept(func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Method != http.MethodPost || req.URL.Path != path {
				return next.RoundTrip(req)
			}
			return send(next, req)
		}))
}

func TestAnInterruptionWhileDiallingLeavesNobodyAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		lag  time.Duration // of the list of calls
		lost bool          // the answer
	}{
		"which the list shows at once":             {},
		"which the list shows later":               {lag: 5 * time.Second},
		"which the list shows much later":          {lag: time.Minute},
		"which the list shows, and no answer does": {lag: 5 * time.Second, lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(s *scene) {
				ctx, interrupt := context.WithCancel(s.t.Context())
				defer interrupt()
				s.intercept("/v2/sip/call", func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
					answer, err := next.RoundTrip(req)
					require.NoError(s.t, err)
					interrupt()
					if req.Context().Err() != nil || tt.lost {
						return nil, errors.Join(req.Context().Err(), io.ErrUnexpectedEOF, answer.Body.Close())
					}
					return answer, nil
				})
				_, err := s.run(ctx)
				require.ErrorIs(s.t, err, context.Canceled)
				s.staysWithTheAgent()
			}, videosdktest.WithListDelay(tt.lag))
		})
	}
}

// All the time that there was to dial, and to look whether that was done, has passed
// before the program goes on.
func TestASupervisorWhoWasCalledByAProcessThatWasFrozenIsNotLeftAlone(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.intercept("/v2/sip/call", func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			answer, err := next.RoundTrip(req)
			require.NoError(s.t, err)
			<-time.After(time.Hour)
			return nil, errors.Join(io.ErrUnexpectedEOF, answer.Body.Close())
		})
		_, err := s.run(s.t.Context())
		require.ErrorIs(s.t, err, videosdk.ErrMaybeApplied)
		s.staysWithTheAgent()
	})
}

// The server answers that the caller is being moved, and takes its time to do it.
func TestAnInterruptionWhileTheCallerIsMovedLeavesNobodyAlone(t *testing.T) {
	inBubble(t, func(s *scene) {
		ctx, interrupt := context.WithCancel(s.t.Context())
		defer interrupt()
		server := s.client
		s.intercept("/v2/sip/call/switch-room", func(_ http.RoundTripper, req *http.Request) (*http.Response, error) {
			asked, err := io.ReadAll(req.Body)
			require.NoError(s.t, err)
			time.AfterFunc(time.Second, interrupt)
			time.AfterFunc(3*time.Second, func() {
				assert.NoError(s.t, server.Do(s.t.Context(), req.Method, req.URL.Path, json.RawMessage(asked), nil))
			})
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}"))}, nil
		})
		_, err := s.run(ctx)
		require.NoError(s.t, err)
		assert.Equal(s.t, videosdk.CallAnswered, s.supervisor().Status)
		assert.Equal(s.t, s.supervisor().RoomID, s.caller().RoomID)
	})
}

func TestALostAnswerDoesNotChangeTheOutcome(t *testing.T) {
	for _, path := range []string{"/v2/sip/call", "/v2/sip/call/switch-room"} {
		t.Run(path, func(t *testing.T) {
			inBubble(t, func(s *scene) {
				s.srv.Inject(videosdktest.Fault{Method: http.MethodPost, Path: path, Drop: videosdktest.DropAfterActing})
				_, err := s.run(s.t.Context())
				require.NoError(s.t, err)
				assert.Equal(s.t, s.supervisor().RoomID, s.caller().RoomID)
			})
		})
	}
}

func TestTheCallerStaysWhenTheyCannotBeMoved(t *testing.T) {
	for name, fault := range map[string]videosdktest.Fault{
		"it is refused":       {Status: http.StatusBadRequest},
		"the request is lost": {Drop: videosdktest.DropBeforeActing},
		"the server fails":    {Status: http.StatusInternalServerError},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(s *scene) {
				fault.Path = "/v2/sip/call/switch-room"
				s.srv.Inject(fault)
				_, err := s.run(s.t.Context())
				require.Error(s.t, err)
				s.staysWithTheAgent()
			})
		})
	}
}

func TestAProcessThatIsStoppedLeavesNobodyAlone(t *testing.T) {
	program := filepath.Join(t.TempDir(), "warm-transfer")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(output))
	for name, stop := range map[string]func(*os.Process, io.Closer) error{
		"by a signal":       func(p *os.Process, _ io.Closer) error { return p.Signal(syscall.SIGTERM) },
		"with its terminal": func(p *os.Process, _ io.Closer) error { return p.Signal(syscall.SIGHUP) },
		"with tee, at Ctrl-C": func(p *os.Process, stdout io.Closer) error {
			return errors.Join(stdout.Close(), p.Signal(os.Interrupt))
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := jobtest.NewAccount(t, "+14155550100")
			client := jobtest.NewClient(t, srv)
			_, err := client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
				Name: "In", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155550100"}, AgentID: "agent_support",
			})
			require.NoError(t, err)
			callID, err := srv.InboundCall("+14155550199", "+14155550100")
			require.NoError(t, err)
			_, err = client.Calls.WaitAnswered(t.Context(), callID)
			require.NoError(t, err)
			process := exec.CommandContext(t.Context(), program, "-call", callID, "-supervisor", "+14155550150",
				"-from", "+14155550100", "-rule", jobtest.NewRule(t, srv, "+14155550100"))
			stdout, err := process.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, process.Start())
			lines := bufio.NewScanner(stdout)
			for lines.Scan() && !strings.Contains(lines.Text(), "is being briefed") {
			}

			require.NoError(t, stop(process.Process, stdout))
			_, _ = io.Copy(io.Discard, stdout) // as long as anybody reads
			_ = process.Wait()
			require.Len(t, srv.Dials(), 1)
			supervisor, err := client.Calls.Get(t.Context(), srv.Dials()[0].CallID)
			require.NoError(t, err)
			assert.True(t, supervisor.IsOver())
		})
	}
}

func TestACallThatIsNotUpIsNotTransferred(t *testing.T) {
	inBubble(t, func(s *scene) {
		require.NoError(s.t, s.srv.HangUp(s.transfer.caller))
		_, err := s.run(s.t.Context())
		require.ErrorContains(s.t, err, "must be answered, and is ended")
		assert.Empty(s.t, s.srv.Dials())
	})
}
