package videosdk

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// panicError is a panic of what belongs to the user. It does not tell the value,
// which may hold anything.
type panicError struct {
	text  string
	stack string // where it happened
}

func (e *panicError) Error() string { return e.text }

// safely calls what belongs to the user, and makes an error of its panic: in a
// goroutine of this library that would end the program.
func safely(what string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{fmt.Sprintf("%s panicked with a %T", what, v), string(debug.Stack())}
		}
	}()
	return f()
}

// finally is safely for what may also end its goroutine, as t.FailNow does, behind
// which nothing runs but what is deferred. However it ends, settle gets its error.
func finally(what string, f func() error, settle func(error)) {
	err := errors.New(what + " ended its goroutine") // unless it returns
	defer func() { settle(err) }()
	err = safely(what, f)
}
