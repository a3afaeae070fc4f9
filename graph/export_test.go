package graph

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/graph/exec"
)

// NewFieldByField is [New] without what writes lists at once.
func NewFieldByField(o Options) graphql.ExecutableSchema {
	return exec.NewExecutableSchema(exec.Config{Resolvers: &Resolver{o}})
}
