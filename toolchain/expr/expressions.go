package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/valyala/fasttemplate"

	"gitops-e2e/toolchain/expr/v1alpha1"
)

// An environment is what expressions can name: plain data, times, the two that are more than that, and functions.
type environment struct {
	Data      map[string]any                            `json:"data"`
	Times     map[string]time.Time                      `json:"times"`
	StepMetas map[string]v1alpha1.StepExecutionMetadata `json:"stepMetas"`
	Response  *response                                 `json:"response"`
	Functions []string                                  `json:"functions"`
}

// A response is the answer of an HTTP server, its header names canonical, its body parsed JSON.
type response struct {
	Status  int         `json:"status"`
	Headers http.Header `json:"headers"`
	Body    any         `json:"body"`
}

func (e environment) names() map[string]any {
	names := maps.Clone(e.Data)
	if names == nil {
		names = map[string]any{}
	}
	for name, moment := range e.Times {
		names[name] = moment
	}
	if e.StepMetas != nil {
		names["stepMetas"] = e.StepMetas
	}
	if e.Response != nil {
		names["response"] = map[string]any{
			"status":  e.Response.Status,
			"headers": e.Response.Headers,
			"header":  e.Response.Headers.Get,
			"body":    e.Response.Body,
		}
	}
	return names
}

// evaluate answers the value of one bare expression, its Go type and whether it is true or false.
// A closed environment is one whose names are all known: a wrong one is an error of compilation.
func evaluate(request []byte, caller caller) (any, error) {
	var asked struct {
		Expression  string      `json:"expression"`
		Environment environment `json:"environment"`
		Closed      bool        `json:"closed"`
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	given, err := options(asked.Environment.Functions, caller)
	if err != nil {
		return nil, err
	}
	names := asked.Environment.names()
	if asked.Closed {
		given = append(given, expr.Env(names))
	}
	value, err := run(asked.Expression, names, given)
	if err != nil {
		return nil, err
	}
	return map[string]any{"result": value, "type": fmt.Sprintf("%T", value)}, nil
}

// render answers a JSON value in which every string value was rendered as a template, keys left alone.
func render(request []byte, caller caller) (any, error) {
	var asked struct {
		Template    any         `json:"template"`
		Environment environment `json:"environment"`
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	given, err := options(asked.Environment.Functions, caller)
	if err != nil {
		return nil, err
	}
	return renderValue(asked.Template, asked.Environment.names(), given)
}

func renderValue(value any, names map[string]any, given []expr.Option) (any, error) {
	switch value := value.(type) {
	case string:
		return renderText(value, names, given)
	case []any:
		for i, item := range value {
			rendered, err := renderValue(item, names, given)
			if err != nil {
				return nil, err
			}
			value[i] = rendered
		}
	case map[string]any:
		// In order, so that of several errors it is always the same that is told.
		for _, key := range slices.Sorted(maps.Keys(value)) {
			rendered, err := renderValue(value[key], names, given)
			if err != nil {
				return nil, err
			}
			value[key] = rendered
		}
	}
	return value, nil
}

const (
	opening = "${{"
	closing = "}}"
)

func renderText(text string, names map[string]any, given []expr.Option) (any, error) {
	if !strings.Contains(text, opening) {
		return text, nil
	}
	template, err := fasttemplate.NewTemplate(text, opening, closing)
	if err != nil {
		return nil, fmt.Errorf("error parsing template: %w", err)
	}
	rendered, err := template.ExecuteFuncStringWithErr(func(out io.Writer, expression string) (int, error) {
		value, err := run(expression, names, given)
		if err != nil {
			return 0, err
		}
		if text, ok := value.(string); ok {
			return io.WriteString(out, text)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return 0, err
		}
		return out.Write(encoded)
	})
	if err != nil {
		return nil, err
	}
	return typed(rendered), nil
}

// typed gives a rendered text the type that it looks like: quoted text, number, boolean, JSON, else text.
func typed(rendered string) any {
	text, newline := strings.CutSuffix(rendered, "\n")
	restored := func(text string) string {
		if newline {
			return text + "\n"
		}
		return text
	}
	if len(text) > 1 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) {
		return restored(text[1 : len(text)-1])
	}
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		return number
	}
	if truth, err := strconv.ParseBool(text); err == nil {
		return truth
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err == nil {
		return value
	}
	return restored(text)
}

func run(expression string, names map[string]any, given []expr.Option) (any, error) {
	program, err := expr.Compile(expression, given...)
	if err != nil {
		return nil, failure{Phase: "compile", Message: err.Error()}
	}
	value, err := expr.Run(program, names)
	if err != nil {
		return nil, failure{Phase: "run", Message: err.Error()}
	}
	return value, nil
}
