package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	largestBody = 2 << 20
	jsonContent = "application/json"
)

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// send makes one HTTP request and answers the response as expressions see it. A failure of the phase "response"
// means that a response came, but cannot be read.
func send(request []byte, _ caller) (any, error) {
	var asked struct {
		Method      string  `json:"method"`
		URL         string  `json:"url"`
		Headers     []pair  `json:"headers"`
		QueryParams []pair  `json:"queryParams"`
		Body        string  `json:"body"`
		Insecure    bool    `json:"insecureSkipTLSVerify"`
		Seconds     float64 `json:"seconds"`
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	address, err := url.Parse(asked.URL)
	if err != nil {
		return nil, fmt.Errorf("error parsing URL: %w", err)
	}
	if len(asked.QueryParams) > 0 {
		query := address.Query()
		for _, parameter := range asked.QueryParams {
			query.Add(parameter.Name, parameter.Value)
		}
		address.RawQuery = query.Encode()
	}
	outgoing, err := http.NewRequest(asked.Method, address.String(), strings.NewReader(asked.Body))
	if err != nil {
		return nil, err
	}
	for _, header := range asked.Headers {
		outgoing.Header.Add(header.Name, header.Value)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: asked.Insecure}
	client := http.Client{Transport: transport, Timeout: time.Duration(asked.Seconds * float64(time.Second))}
	incoming, err := client.Do(outgoing)
	if err != nil {
		return nil, err
	}
	defer incoming.Body.Close()
	body, err := bodyOf(incoming)
	if err != nil {
		return nil, failure{Phase: "response", Message: err.Error()}
	}
	return response{Status: incoming.StatusCode, Headers: incoming.Header, Body: body}, nil
}

// bodyOf is the parsed body: an object or a list, and an empty object where it is neither JSON nor said to be.
func bodyOf(incoming *http.Response) (any, error) {
	text, err := io.ReadAll(io.LimitReader(incoming.Body, largestBody+1))
	if err != nil {
		return nil, err
	}
	if len(text) > largestBody {
		return nil, fmt.Errorf("response body exceeds the limit of %d bytes", largestBody)
	}
	said, _, _ := mime.ParseMediaType(incoming.Header.Get("Content-Type"))
	if len(text) == 0 || (said != jsonContent && !json.Valid(text)) {
		return map[string]any{}, nil
	}
	var body any
	if err := json.Unmarshal(text, &body); err != nil {
		return nil, fmt.Errorf("failed to unmarshal response: %w", err)
	}
	switch body.(type) {
	case map[string]any, []any:
		return body, nil
	default:
		return nil, fmt.Errorf("unexpected type when unmarshaling response: %T", body)
	}
}
