package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/acquaint/acquaint/engage/decision"
	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/graph/population"
	"github.com/acquaint/acquaint/ingest"
	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	web "github.com/acquaint/acquaint/server"
	"github.com/acquaint/acquaint/store"
)

// writeKey is that of the source that the load belongs to, the same in every round
// so that requests can be prepared once.
const writeKey = "bench-bench-bench-bench"

// purpose is what is read for.
const purpose = "analytics"

// installation is Acquaint as acquaint serve runs it, on a port of its own.
type installation struct {
	store   *store.Store
	source  *insight.Source
	decoder *tracking.Decoder
	models  *population.Models
	address string // host:port
	token   string
	stop    func() error
}

// install opens a database and serves it. What acquaint serve logs is not written;
// its level is the default one.
func install(ctx context.Context, address string) (_ *installation, err error) {
	i := &installation{}
	if i.store, err = store.Open(ctx, store.Options{URL: address}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, i.store.Close())
		}
	}()
	if i.source, _, err = i.store.CreateSource(ctx, store.NewSource{Name: "bench", WriteKey: writeKey}); err != nil {
		return nil, err
	}
	secret := make([]byte, web.MinSecretBytes)
	_, _ = rand.Read(secret) // never fails
	claims := web.Claims{Scope: string(insight.ScopeIndividualsRead) + " " + string(insight.ScopeInsightsRead) + " " + string(insight.ScopeConsentWrite) + " " + string(insight.ScopeEngageWrite), Purposes: web.Names{purpose, unasked, asked}}
	claims.Subject = "bench"
	if i.token, err = web.Sign(secret, claims, 24*time.Hour); err != nil {
		return nil, err
	}
	auth, err := web.NewAuthenticator(ctx, web.AuthOptions{Secret: secret})
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	pipeline, desk := ingest.New(i.store), decision.New(i.store.KeepDecisions, i.store.Withhold)
	stop := func(err error) error {
		ctx := context.WithoutCancel(ctx)
		return errors.Join(err, pipeline.Close(ctx), desk.Close(ctx))
	}
	i.decoder = &tracking.Decoder{Directory: i.store}
	i.models = population.New(i.store, false)
	shell, err := i.shell(auth, pipeline, desk, log)
	if err != nil {
		return nil, stop(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, stop(wrap(err))
	}
	i.address = listener.Addr().String()
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- shell.Serve(serving, listener) }()
	i.stop = func() error {
		end()
		err := <-served
		i.models.Close()
		return errors.Join(stop(err), i.store.Close())
	}
	return i, nil
}

func (i *installation) shell(auth *web.Authenticator, pipeline *ingest.Pipeline, desk *decision.Desk[store.Asking, *store.Decided], log *slog.Logger) (*web.Server, error) {
	served, err := web.NewGraphQL(web.GraphQLOptions{
		Schema: graph.New(graph.Options{Store: i.store, Ingest: pipeline, Decoder: i.decoder, Models: i.models, Decide: desk.Submit}), Auth: auth, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	return web.New(web.Options{
		Graph:    served,
		Tracking: web.NewTracking(web.TrackingOptions{Sources: i.store, Submit: pipeline.Submit, Decoder: i.decoder, Logger: log}),
		Ready:    i.store.Ready, Logger: log,
	})
}
