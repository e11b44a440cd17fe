// Package v1alpha1 has the objects that expressions see as objects with fields.
// Package and field names show in the messages about wrong fields, so they are those of Kargo's API.
package v1alpha1

import "time"

// FreightOrigin is where Freight comes from.
type FreightOrigin struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// Image is one container image of a piece of Freight.
type Image struct {
	RepoURL     string            `json:"repoURL,omitempty"`
	Tag         string            `json:"tag,omitempty"`
	Digest      string            `json:"digest,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// GitCommit is one commit of a piece of Freight.
type GitCommit struct {
	RepoURL   string `json:"repoURL,omitempty"`
	ID        string `json:"id,omitempty"`
	Branch    string `json:"branch,omitempty"`
	Tag       string `json:"tag,omitempty"`
	Message   string `json:"message,omitempty"`
	Author    string `json:"author,omitempty"`
	Committer string `json:"committer,omitempty"`
}

// Chart is one Helm chart of a piece of Freight.
type Chart struct {
	RepoURL string `json:"repoURL,omitempty"`
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
}

// StepExecutionMetadata tells what became of a step.
type StepExecutionMetadata struct {
	Alias           string     `json:"alias,omitempty"`
	StartedAt       *time.Time `json:"startedAt,omitempty"`
	FinishedAt      *time.Time `json:"finishedAt,omitempty"`
	ErrorCount      uint32     `json:"errorCount,omitempty"`
	Status          string     `json:"status,omitempty"`
	Message         string     `json:"message,omitempty"`
	ContinueOnError bool       `json:"continueOnError,omitempty"`
}
