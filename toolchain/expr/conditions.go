package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	rollouts "github.com/antonmedv/expr"
)

// holds answers whether a condition of a metric holds for a result, as Argo Rollouts 1.9 evaluates it: by this very
// version of the library, which it has under its former name, and with these names.
// The result is any JSON value, or where there are samples, the numbers that Prometheus answers with.
func holds(request []byte, _ caller) (any, error) {
	var asked struct {
		Condition string   `json:"condition"`
		Result    any      `json:"result"`
		Samples   []string `json:"samples"` // texts, as JSON has no NaN
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	result := asked.Result
	if asked.Samples != nil {
		numbers, err := numbers(asked.Samples)
		if err != nil {
			return nil, err
		}
		result = numbers
	}
	names := namesOfConditions(result)
	program, err := rollouts.Compile(asked.Condition, rollouts.Env(names))
	if err != nil {
		return nil, failure{Phase: "compile", Message: err.Error()}
	}
	value, err := rollouts.Run(program, names)
	if err != nil {
		return nil, failure{Phase: "run", Message: err.Error()}
	}
	truth, ok := value.(bool)
	if !ok {
		return nil, failure{Phase: "run", Message: fmt.Sprintf("expected bool, but got %T", value)}
	}
	return truth, nil
}

func namesOfConditions(result any) map[string]any {
	return map[string]any{
		"result":  result,
		"asInt":   asInt,
		"asFloat": asFloat,
		"isNaN":   math.IsNaN,
		"isInf":   func(number float64) bool { return math.IsInf(number, 0) },
		"isNil":   func(any) bool { return result == nil },
		"default": func(_ any, otherwise any) any {
			if result == nil {
				return otherwise
			}
			return result
		},
	}
}

func numbers(samples []string) ([]float64, error) {
	numbers := make([]float64, 0, len(samples))
	for _, sample := range samples {
		number, err := strconv.ParseFloat(sample, 64)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

func asInt(value any) int64 {
	switch value := value.(type) {
	case float64:
		return int64(value)
	case int:
		return int64(value)
	case string:
		number, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			panic(err)
		}
		return number
	default:
		panic(fmt.Sprintf("asInt() not supported on %T %v", value, value))
	}
}

func asFloat(value any) float64 {
	switch value := value.(type) {
	case float64:
		return value
	case int:
		return float64(value)
	case string:
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			panic(err)
		}
		return number
	default:
		panic(fmt.Sprintf("asFloat() not supported on %T %v", value, value))
	}
}
