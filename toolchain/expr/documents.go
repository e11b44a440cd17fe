package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/sjson"
	"github.com/xeipuuv/gojsonschema"
	"go.yaml.in/yaml/v3"
)

// validate answers the list of what a JSON schema has against a document, empty when nothing.
func validate(request []byte, _ caller) (any, error) {
	var asked struct {
		Schema   json.RawMessage `json:"schema"`
		Document json.RawMessage `json:"document"`
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	result, err := gojsonschema.Validate(
		gojsonschema.NewBytesLoader(asked.Schema), gojsonschema.NewBytesLoader(asked.Document),
	)
	if err != nil {
		return nil, err
	}
	complaints := []string{}
	for _, complaint := range result.Errors() {
		complaints = append(complaints, complaint.String())
	}
	return complaints, nil
}

type update struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

type edit struct {
	Text    string   `json:"text"`
	Updates []update `json:"updates"`
}

type edited struct {
	Text string `json:"text"`
	// Written has the value of each update as it stands in the file.
	Written []string `json:"written"`
}

// parseYAML answers the first document of a YAML text.
func parseYAML(request []byte, _ caller) (any, error) {
	var asked struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	var document any
	err := yaml.Unmarshal([]byte(asked.Text), &document)
	return document, err
}

// editYAML sets scalars in the first document of a YAML text. What follows on the line of a value is lost,
// all else is kept to the byte.
func editYAML(request []byte, _ caller) (any, error) {
	var asked edit
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(asked.Text), &document); err != nil {
		return nil, fmt.Errorf("error unmarshaling input: %w", err)
	}
	lines := strings.Split(strings.TrimSuffix(asked.Text, "\n"), "\n")
	result := edited{Written: []string{}}
	for _, update := range asked.Updates {
		node, err := scalar(&document, strings.Split(update.Key, "."))
		if err != nil {
			return nil, fmt.Errorf("error finding key %s: %w", update.Key, err)
		}
		written := yamlScalar(update.Value)
		line := []rune(lines[node.Line-1])
		lines[node.Line-1] = string(line[:node.Column-1]) + written
		result.Written = append(result.Written, written)
	}
	result.Text = strings.Join(lines, "\n") + "\n"
	return result, nil
}

func scalar(node *yaml.Node, path []string) (*yaml.Node, error) {
	if node.Kind == yaml.DocumentNode {
		return scalar(node.Content[0], path)
	}
	if len(path) == 0 {
		if node.Kind != yaml.ScalarNode {
			return nil, errors.New("key path does not address a scalar node")
		}
		return node, nil
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == path[0] {
				return scalar(node.Content[i+1], path[1:])
			}
		}
	case yaml.SequenceNode:
		index, err := strconv.Atoi(path[0])
		if err == nil && index >= 0 && index < len(node.Content) {
			return scalar(node.Content[index], path[1:])
		}
	}
	return nil, errors.New("key path not found")
}

// yamlScalar quotes text that would be read as something else, and nothing more.
func yamlScalar(value any) string {
	text, ok := value.(string)
	if !ok {
		return fmt.Sprintf("%v", value)
	}
	_, notNumber := strconv.ParseFloat(text, 64)
	_, notBool := strconv.ParseBool(text)
	if notNumber == nil || notBool == nil || json.Valid([]byte(text)) {
		return strconv.Quote(text)
	}
	return text
}

// editJSON sets scalars in a JSON text by sjson's paths, creating what is missing.
func editJSON(request []byte, _ caller) (any, error) {
	var asked edit
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	result := edited{Text: asked.Text, Written: []string{}}
	for _, update := range asked.Updates {
		switch update.Value.(type) {
		case []any, map[string]any:
			return nil, fmt.Errorf("value for key %q is not a scalar type", update.Key)
		}
		text, err := sjson.Set(result.Text, update.Key, update.Value)
		if err != nil {
			return nil, fmt.Errorf("error setting key %q in JSON file: %w", update.Key, err)
		}
		result.Text = text
		written := fmt.Sprintf("%v", update.Value)
		if text, ok := update.Value.(string); ok {
			written = strconv.Quote(text)
		}
		result.Written = append(result.Written, written)
	}
	return result, nil
}

// An image is an entry of the list `images` of a kustomization, its keys in the order kustomize writes them.
type image struct {
	Name      string `json:"name,omitempty" yaml:"name,omitempty"`
	NewName   string `json:"newName,omitempty" yaml:"newName,omitempty"`
	TagSuffix string `json:"tagSuffix,omitempty" yaml:"tagSuffix,omitempty"`
	NewTag    string `json:"newTag,omitempty" yaml:"newTag,omitempty"`
	Digest    string `json:"digest,omitempty" yaml:"digest,omitempty"`
}

// keepValue stands for "as in the entry that is there".
const keepValue = "*"

// setImages puts entries into the list `images` of a kustomization, in place of those of the same name,
// and answers the new text and the whole list.
func setImages(request []byte, _ caller) (any, error) {
	var asked struct {
		Text   string  `json:"text"`
		Images []image `json:"images"`
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(asked.Text), &document); err != nil {
		return nil, fmt.Errorf("could not unmarshal kustomization file: %w", err)
	}
	if document.Kind == 0 {
		document = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, errors.New("kustomization file is not a mapping")
	}
	list := child(root, "images")
	var present []image
	if err := list.Decode(&present); err != nil {
		return nil, fmt.Errorf("could not decode images field in kustomization file: %w", err)
	}
	images := merged(present, asked.Images)
	var fresh yaml.Node
	if err := fresh.Encode(images); err != nil {
		return nil, err
	}
	list.Kind, list.Tag, list.Value, list.Style, list.Content = fresh.Kind, fresh.Tag, "", 0, fresh.Content
	text, err := yamlText(&document)
	return map[string]any{"text": text, "images": images}, err
}

// child is the value of a key, put there with null if there is none.
func child(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	name := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}
	value := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	mapping.Content = append(mapping.Content, name, value)
	return value
}

func merged(present, wanted []image) []image {
	byName := map[string]image{}
	for _, image := range present {
		byName[image.Name] = image
	}
	for _, image := range wanted {
		old := byName[image.Name]
		image.NewName = kept(image.NewName, old.NewName)
		image.NewTag = kept(image.NewTag, old.NewTag)
		image.Digest = kept(image.Digest, old.Digest)
		byName[image.Name] = image
	}
	images := make([]image, 0, len(byName))
	for _, image := range byName {
		images = append(images, image)
	}
	slices.SortFunc(images, func(a, b image) int { return cmp.Compare(a.Name, b.Name) })
	return images
}

func kept(value, old string) string {
	if value == keepValue {
		return old
	}
	return value
}

// yamlText writes a document the way kustomize does: indented by two, sequences not indented.
func yamlText(document *yaml.Node) (string, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	err := encoder.Encode(document)
	return text.String(), err
}
