package main

import (
	"strings"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/identity"
	"github.com/acquaint/acquaint/store"
)

// whoHelp says how an individual is named on the command line.
const whoHelp = "Whom: an id (ind_…), or userId:…, email:…, phone:…, anonymousId:…, external:SYSTEM:ID."

// who finds out whom an argument names.
func (p *process) who(text string) (store.Lookup, error) {
	refuse := func(err error) (store.Lookup, error) {
		return store.Lookup{}, &usage{"WHO", "an individual is named by an id (ind_…), or by userId:…, email:…, phone:…, anonymousId:…, external:SYSTEM:ID: " + err.Error()}
	}
	kind, value, named := strings.Cut(text, ":")
	if !named {
		id, err := insight.ParseIDOf(insight.IndividualPrefix, "", text)
		if err != nil {
			return refuse(err)
		}
		return store.Lookup{ID: id}, nil
	}
	var i insight.Identity
	var err error
	switch kind {
	case "userId":
		i, err = identity.NewIdentity(insight.UserID, value, "")
	case "email":
		i, err = identity.NewIdentity(insight.Email, value, "")
	case "phone":
		i, err = identity.NewIdentity(insight.Phone, value, p.config.Region)
	case "anonymousId":
		i, err = identity.NewIdentity(insight.AnonymousID, value, "")
	case "external":
		system, id, _ := strings.Cut(value, ":")
		i, err = identity.NewExternal(system, id)
	default:
		err = insight.NewError(insight.Invalid, "", "there is no such kind")
	}
	if err != nil {
		return refuse(err)
	}
	return store.Lookup{Identity: i}, nil
}
