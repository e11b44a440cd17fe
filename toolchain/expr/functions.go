package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/Masterminds/semver/v3"
	"github.com/expr-lang/expr"

	"gitops-e2e/toolchain/expr/v1alpha1"
)

// functions has what a request may name; the types are what expr-lang checks calls and fields against.
var functions = map[string]func(caller) expr.Option{
	"quote":           local("quote", quote, new(func(any) string)),
	"unsafeQuote":     local("unsafeQuote", unsafeQuote, new(func(any) string)),
	"semverDiff":      local("semverDiff", semverDiff, new(func(string, string) string)),
	"warehouse":       local("warehouse", warehouse, new(func(string) v1alpha1.FreightOrigin)),
	"imageFrom":       remote[*v1alpha1.Image]("imageFrom", artifact[*v1alpha1.Image]()...),
	"commitFrom":      remote[*v1alpha1.GitCommit]("commitFrom", artifact[*v1alpha1.GitCommit]()...),
	"chartFrom":       remote[*v1alpha1.Chart]("chartFrom", chart()...),
	"freightMetadata": remote[any]("freightMetadata", new(func(string) any), new(func(string, string) any)),
	"stageMetadata":   remote[map[string]any]("stageMetadata", new(func(string) map[string]any)),
	"configMap":       remote[map[string]string]("configMap", new(func(string) map[string]string)),
	"secret":          remote[map[string]string]("secret", new(func(string) map[string]string)),
	"always":          remote[bool]("always", new(func() bool)),
	"failure":         remote[bool]("failure", new(func() bool)),
	"success":         remote[bool]("success", new(func() bool)),
	"status":          remote[string]("status", new(func(string) string)),
}

func artifact[T any]() []any {
	return []any{new(func(string) T), new(func(string, v1alpha1.FreightOrigin) T)}
}

func chart() []any {
	return append(
		artifact[*v1alpha1.Chart](),
		new(func(string, string) *v1alpha1.Chart),
		new(func(string, string, v1alpha1.FreightOrigin) *v1alpha1.Chart),
	)
}

// options gives the functions named, as expr-lang takes them.
func options(names []string, caller caller) ([]expr.Option, error) {
	given := make([]expr.Option, 0, len(names))
	for _, name := range names {
		function, known := functions[name]
		if !known {
			return nil, fmt.Errorf("unknown function %q", name)
		}
		given = append(given, function(caller))
	}
	return given, nil
}

func local(name string, body func(...any) (any, error), types ...any) func(caller) expr.Option {
	return func(caller) expr.Option { return expr.Function(name, body, types...) }
}

// remote is a function that the other side runs; its null is a nil of T.
func remote[T any](name string, types ...any) func(caller) expr.Option {
	return func(caller caller) expr.Option {
		return expr.Function(name, func(arguments ...any) (any, error) {
			reply, err := caller(name, arguments)
			if err != nil {
				return nil, err
			}
			var value T
			err = json.Unmarshal(reply, &value)
			return value, err
		}, types...)
	}
}

func quote(arguments ...any) (any, error) {
	if text, ok := arguments[0].(string); ok {
		return strconv.Quote(text), nil
	}
	text, err := json.Marshal(arguments[0])
	return strconv.Quote(string(text)), err
}

func unsafeQuote(arguments ...any) (any, error) {
	text, err := json.Marshal(arguments[0])
	return `"` + string(text) + `"`, err
}

func semverDiff(arguments ...any) (any, error) {
	older, olderErr := semver.NewVersion(arguments[0].(string))
	newer, newerErr := semver.NewVersion(arguments[1].(string))
	switch {
	case olderErr != nil || newerErr != nil:
		return "Incomparable", nil
	case older.Major() != newer.Major():
		return "Major", nil
	case older.Minor() != newer.Minor():
		return "Minor", nil
	case older.Patch() != newer.Patch():
		return "Patch", nil
	case older.Metadata() != newer.Metadata():
		return "Metadata", nil
	default:
		return "None", nil
	}
}

func warehouse(arguments ...any) (any, error) {
	name := arguments[0].(string)
	if name == "" {
		return nil, errors.New("name must not be empty")
	}
	return v1alpha1.FreightOrigin{Kind: "Warehouse", Name: name}, nil
}
