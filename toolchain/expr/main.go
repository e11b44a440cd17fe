// Command expr does what the promotion engine and the lint need done exactly as Go libraries do it:
// expressions (expr-lang), templates around them, conditions of Argo Rollouts, JSON schema validation,
// HTTP requests, and edits of YAML and JSON files that keep everything they do not change.
//
// It reads one JSON request a line on standard input and answers each with one JSON line
// on standard output: {"value": …} or {"error": {"phase": …, "message": …}}. Between a request and its
// answer it may ask the other side to run a function for it: {"call": {"name": …, "arguments": […]}},
// which is answered on standard input by {"value": …} or {"error": "…"}.
// The command ends when standard input ends.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// An operation is one thing a request can ask for; its value is what the answer carries.
type operation func(request []byte, caller caller) (any, error)

var operations = map[string]operation{
	"render":    render,
	"evaluate":  evaluate,
	"inspect":   inspect,
	"holds":     holds,
	"send":      send,
	"validate":  validate,
	"parseYAML": parseYAML,
	"editYAML":  editYAML,
	"editJSON":  editJSON,
	"setImages": setImages,
}

// A caller runs one of the functions that only the other side can: those which look into the cluster.
type caller func(function string, arguments []any) (json.RawMessage, error)

// A failure is an error that says at which point it came up: "compile", "run", "response", or nothing.
type failure struct {
	Phase   string `json:"phase,omitempty"`
	Message string `json:"message"`
}

func (f failure) Error() string { return f.Message }

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	lines := &conversation{in: bufio.NewReader(in), out: out}
	for {
		request, err := lines.read()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := lines.write(answer(request, lines.call)); err != nil {
			return err
		}
	}
}

func answer(request []byte, caller caller) any {
	value, err := perform(request, caller)
	if err == nil {
		// Values that JSON cannot say (NaN) are the request's fault, not the connection's.
		var text []byte
		if text, err = json.Marshal(value); err == nil {
			return map[string]json.RawMessage{"value": text}
		}
	}
	var known failure
	if !errors.As(err, &known) {
		known = failure{Message: err.Error()}
	}
	return map[string]failure{"error": known}
}

func perform(request []byte, caller caller) (value any, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("%v", panicked)
		}
	}()
	var head struct {
		Operation string `json:"operation"`
	}
	if err := json.Unmarshal(request, &head); err != nil {
		return nil, err
	}
	do, known := operations[head.Operation]
	if !known {
		return nil, fmt.Errorf("unknown operation %q", head.Operation)
	}
	return do(request, caller)
}

// A conversation is the two directions of lines.
type conversation struct {
	in  *bufio.Reader
	out io.Writer
}

func (c *conversation) read() ([]byte, error) { return c.in.ReadBytes('\n') }

func (c *conversation) write(message any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	_, err = c.out.Write(append(text, '\n'))
	return err
}

func (c *conversation) call(function string, arguments []any) (json.RawMessage, error) {
	list := append([]any{}, arguments...) // none is an empty list, not null
	question := map[string]any{"call": map[string]any{"name": function, "arguments": list}}
	if err := c.write(question); err != nil {
		return nil, err
	}
	line, err := c.read()
	if err != nil {
		return nil, err
	}
	var reply struct {
		Value json.RawMessage `json:"value"`
		Error *string         `json:"error"`
	}
	if err := json.Unmarshal(line, &reply); err != nil {
		return nil, err
	}
	if reply.Error != nil {
		return nil, errors.New(*reply.Error)
	}
	return reply.Value, nil
}
