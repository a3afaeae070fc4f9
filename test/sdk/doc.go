// Package sdk answers: do the clients that people have work with Acquaint? Its
// tests run the real binary, on each engine, under Segment's SDK for Node.js,
// Segment's SDK for browsers in Chromium, and the playground in Chromium, and then
// ask over GraphQL what has landed.
//
// The rule in words. The SDKs come from npm in exact versions, and are pointed at
// Acquaint by the options that their documentation has for it. Between them and
// Acquaint stands a gateway, which remembers what was sent and can lose requests
// and answers as networks do. Whatever is lost, everything that an SDK says it has
// delivered is there once. The browser can resolve no name but the shop's and
// Acquaint's, and asks for none.
//
// One worked example: of 5,000 events in ten batches every batch is first refused,
// then kept with its answer lost, and at the third attempt acknowledged. The SDK
// sends 30 requests, and 5,000 interactions are there.
//
// It refuses to run without node, npm's packages and Chromium; "make test/sdk"
// fetches the packages. Where one of them is missing the tests are left out, and
// fail where ACQUAINT_TEST_SDK=required.
package sdk
