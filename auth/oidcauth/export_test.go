package oidcauth

// GitHubAt is GitHub at other addresses.
var GitHubAt = gitHub
