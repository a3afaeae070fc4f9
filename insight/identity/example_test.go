package identity_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/identity"
)

func ExampleResolve() {
	account, address, browser := uuid.UUID{1}, uuid.UUID{2}, uuid.UUID{3}
	members := []identity.Member{
		{Key: browser, Kind: insight.AnonymousID, Origin: uuid.MustParse("0190a5e4-0000-7000-8000-000000000001")}, // seen first
		{Key: account, Kind: insight.UserID, Origin: uuid.MustParse("0190a5e4-0000-7000-8000-000000000002")},
		{Key: address, Kind: insight.Email, Origin: uuid.MustParse("0190a5e4-0000-7000-8000-000000000003")},
	}
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	links := []insight.Link{
		{ID: uuid.UUID{11}, AKey: account, BKey: browser, ObservedAt: at}, // a login
		{ID: uuid.UUID{12}, AKey: account, BKey: address, ObservedAt: at.Add(time.Minute)},
	}
	standings := identity.Resolve(members, links)
	fmt.Println(standings[account].Individual == standings[browser].Individual, standings[address].Individual)

	// The operator finds that the address is somebody else's, and revokes its link.
	links[1].RevokedAt = at.Add(time.Hour)
	standings = identity.Resolve(members, links)
	fmt.Println(standings[account].Individual, standings[address].Individual)
	// Output:
	// true 0190a5e4-0000-7000-8000-000000000001
	// 0190a5e4-0000-7000-8000-000000000001 0190a5e4-0000-7000-8000-000000000003
}

func ExampleNewIdentity() {
	address, _ := identity.NewIdentity(insight.Email, " Ann@BÜCHER.example ", "")
	number, _ := identity.NewIdentity(insight.Phone, "020 7946 0958", "GB")
	_, err := identity.NewIdentity(insight.UserID, "undefined", "")
	fmt.Println(address.Value)
	fmt.Println(number.Value)
	fmt.Println(err)
	// Output:
	// ann@xn--bcher-kva.example
	// +442079460958
	// userId: it is empty or a placeholder such as null or undefined, which would join strangers
}

func ExampleNewExternal() {
	card, _ := identity.NewExternal("loyalty", "12345")
	fmt.Println(card.Value)
	// Output: loyalty:12345
}
