package file

import (
	"slices"
	"strings"

	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/identity"
)

// identify reads whose event a row is. As in the tracking API, an identifier that
// can identify nobody is passed over as long as another one is left.
func (m *maker) identify(e *insight.Event, fields []string, refuse func(target, why string) error) error {
	p := m.plan
	var refused error
	take := func(kind insight.IdentifierKind, target string, c *cell) insight.Identity {
		text := strings.TrimSpace(c.of(fields))
		if text == "" {
			return insight.Identity{}
		}
		id, err := identity.NewIdentity(kind, text, m.Region)
		if err != nil {
			if wrong, ok := err.(*insight.Error); ok && refused == nil { //nolint:errorlint // made just now
				refused = refuse(target, wrong.Message)
			}
			return insight.Identity{}
		}
		e.Identities = tracking.InsertIdentity(e.Identities, id)
		return id
	}
	take(insight.UserID, "userId", p.userID)
	take(insight.Email, "email", p.email)
	take(insight.Phone, "phone", p.phone)
	for i := range p.externals {
		text := strings.TrimSpace(p.externals[i].of(fields))
		if text == "" {
			continue
		}
		if id, err := identity.NewExternal(p.externals[i].name, text); err == nil {
			e.Identities = tracking.InsertIdentity(e.Identities, id)
		} else if wrong, ok := err.(*insight.Error); ok && refused == nil { //nolint:errorlint // made just now
			refused = refuse("external."+p.externals[i].name, wrong.Message)
		}
	}
	device := take(insight.DeviceID, "deviceId", p.deviceID)
	anonymous := take(insight.AnonymousID, "anonymousId", p.anonymousID)
	switch {
	case len(e.Identities) == 0 && refused != nil:
		return refused
	case len(e.Identities) == 0:
		return refuse("userId", "the row names nobody")
	case anonymous.Kind != 0:
		e.Stream = anonymous
	case device.Kind != 0:
		e.Stream = device
	default:
		e.Stream = e.Identities[0]
	}
	return nil
}

// traits are what the row declares of its person: the mapped traits, and its
// address and number.
func (m *maker) traits(fields []string) []insight.Observation {
	var traits []insight.Observation
	declare := func(key string, value []byte) {
		traits = append(traits, insight.Observation{
			Key: key, Value: value, Provenance: insight.Declared, Confidence: 1,
			Sensitivity: tracking.SensitivityOf(key, m.Sensitive),
		})
	}
	for i := range m.plan.traits {
		t := &m.plan.traits[i]
		if text := t.of(fields); text != "" {
			declare(t.name, appendValue(nil, text))
		}
	}
	for _, contact := range [...]struct {
		key  string
		cell *cell
	}{{"email", m.plan.email}, {"phone", m.plan.phone}} {
		mapped := slices.ContainsFunc(traits, func(o insight.Observation) bool { return o.Key == contact.key })
		if text := strings.TrimSpace(contact.cell.of(fields)); text != "" && !mapped {
			declare(contact.key, appendText(nil, text))
		}
	}
	return traits
}
