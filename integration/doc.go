// Package integration holds the tests that need real processes, real servers and a network between them: races of two programs on one
// database, outages, crashes. It is a module of its own, so that what it needs is nobody's dependency.
//
// The database servers are those of package internal/testdb. With CARDEA_TEST_REQUIRE=1 a missing one is a failure.
package integration
