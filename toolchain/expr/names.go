package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/valyala/fasttemplate"
)

// named is what one expression names: data by its path, such as ["vars", "gitRepo"], and functions it calls that are
// none of expr-lang's own.
type named struct {
	Paths [][]string `json:"paths"`
	Calls []string   `json:"calls"`
}

// inspect compiles every expression of a template without evaluating it, and answers what each names.
func inspect(request []byte, caller caller) (any, error) {
	var asked struct {
		Template  string   `json:"template"`
		Functions []string `json:"functions"`
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	given, err := options(asked.Functions, caller)
	if err != nil {
		return nil, err
	}
	expressions := []named{}
	if !strings.Contains(asked.Template, opening) {
		return expressions, nil
	}
	template, err := fasttemplate.NewTemplate(asked.Template, opening, closing)
	if err != nil {
		return nil, fmt.Errorf("error parsing template: %w", err)
	}
	_, err = template.ExecuteFunc(io.Discard, func(_ io.Writer, expression string) (int, error) {
		program, err := expr.Compile(expression, append(given, expr.Optimize(false))...)
		if err != nil {
			return 0, failure{Phase: "compile", Message: err.Error()}
		}
		expressions = append(expressions, namesOf(program.Node()))
		return 0, nil
	})
	return expressions, err
}

func namesOf(node ast.Node) named {
	found := &nameCollector{paths: map[ast.Node][]string{}, own: map[string]bool{}, calls: []string{}}
	ast.Walk(&node, found)
	return named{Paths: found.sorted(), Calls: found.calls}
}

// nameCollector collects while a tree is walked from its leaves to its root.
type nameCollector struct {
	paths map[ast.Node][]string
	own   map[string]bool // variables of the expression itself
	calls []string
}

// Visit is told of each node after those below it.
func (n *nameCollector) Visit(node *ast.Node) {
	switch node := (*node).(type) {
	case *ast.IdentifierNode:
		n.paths[node] = []string{node.Value}
	case *ast.MemberNode:
		n.prolong(node)
	case *ast.ChainNode:
		if path, known := n.paths[node.Node]; known {
			delete(n.paths, node.Node)
			n.paths[node] = path
		}
	case *ast.CallNode:
		if callee, ok := node.Callee.(*ast.IdentifierNode); ok {
			delete(n.paths, callee)
			n.calls = append(n.calls, callee.Value)
		}
	case *ast.VariableDeclaratorNode:
		n.own[node.Name] = true
	}
}

// prolong lets a path that goes on by a name that is written down go on; else it ends there.
func (n *nameCollector) prolong(node *ast.MemberNode) {
	path, known := n.paths[node.Node]
	property, constant := node.Property.(*ast.StringNode)
	if known && constant {
		delete(n.paths, node.Node)
		n.paths[node] = append(slices.Clone(path), property.Value)
	}
}

func (n *nameCollector) sorted() [][]string {
	paths := [][]string{}
	for _, path := range n.paths {
		if !n.own[path[0]] {
			paths = append(paths, path)
		}
	}
	slices.SortFunc(paths, func(a, b []string) int { return cmp.Compare(strings.Join(a, "."), strings.Join(b, ".")) })
	return paths
}
