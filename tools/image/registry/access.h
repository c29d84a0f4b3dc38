// SPDX-License-Identifier: Apache-2.0
// How one registry is reached and what it is shown: address, credentials, tokens. Shared by all
// threads that work with it.
//
// distribution-spec leaves authentication to Docker's token specification: a 401 names a realm,
// and credentials are changed there for a token that is good for some scopes and some time.
#pragma once

#include "model/reference.h"
#include "registry/challenge.h"
#include "registry/clock.h"
#include "registry/credentials.h"
#include "registry/http.h"
#include "registry/retry.h"

#include <map>
#include <mutex>
#include <set>

namespace onggi::image {

using Scopes = std::vector<std::string>;  // "repository:team/app:pull"

struct AccessOptions {
  HttpOptions http;
  CredentialSource credentials;
  bool plain_http = false;  // permitted where https does not answer; for the loopback it always is
  Patience patience = Patience::full;
};

class Access {
 public:
  Access(const Reference& image, AccessOptions options, Clock& clock)
      : image_(image), options_(std::move(options)), clock_(clock) {}

  const Reference& image() const { return image_; }
  const AccessOptions& options() const { return options_; }
  Clock& clock() { return clock_; }
  Backoff backoff() { return Backoff(clock_, options_.patience); }

  // ".../v2/", found by the first call.
  Result<Url> base(Http& http);
  // What a request is to carry in Authorization; empty: nothing.
  Result<std::string> authorization(Http& http, const Scopes& scopes);
  // After a 401 to a request that carried `used`: the next authorization() is another one, or this
  // is the error to report.
  Result<> refused(const Response& response, const std::string& used, const Scopes& scopes);

  // After a 401 of a server that a redirect led to: what it gives to anybody by its own challenge,
  // or nothing. Credentials and tokens are for the registry alone.
  Result<std::string> for_anybody(Http& http, const Response& refusal);

  // `Warning: 299 - "text"` (distribution-spec, "Warnings") goes to the user, each text once.
  void show_warnings(const Response& response);

  // See SpareConnections.
  unsigned take_connections() { return connections_.exchange(0); }
  void give_connections(unsigned count) { connections_ += count; }

  // The error of a command that was refused for want of credentials.
  Error with_login_hint(const Error& error);

 private:
  struct Token {
    std::string text;
    int64_t end = 0;  // by Clock::milliseconds()
  };
  Result<> connect(Http& http);
  Result<> look_up_credentials();
  // What a realm is asked, and `asker`, the server that has named it.
  struct TokenRequest {
    Url realm, asker;
    std::string_view service;
    Scopes scopes;
    std::string authorization = {};
  };
  Result<Token> fetch_token(Http& http, const Scopes& scopes);
  Result<Token> fetch_token(Http& http, const TokenRequest& wanted);
  Result<std::optional<Response>> change_identity_token(Http& http, const Url& realm,
                                                        const Scopes& scopes);
  Result<Response> ask_realm(Http& http, const TokenRequest& wanted);
  Result<Token> read_token(const Response& response) const;
  std::string basic() const;
  Error login_hint(const Error& error) const;

  const Reference image_;
  const AccessOptions options_;
  Clock& clock_;
  std::mutex mutex_;
  std::optional<Url> base_;
  std::optional<Challenge> challenge_;
  // What the registry has missed in a token for the scopes. Theirs alone: after a refused mount,
  // the token for the upload must not be asked for with the other repository again.
  std::map<Scopes, Scopes> missing_;
  std::optional<Credentials> credentials_;
  bool looked_up_ = false;
  std::map<Scopes, Token> tokens_;
  std::map<std::string, Token> tokens_for_anybody_;  // by the address that gives them
  std::set<std::string> warnings_;
  // With the three threads of a copy they make six, as many as browsers open to one host.
  std::atomic<unsigned> connections_ = 3;
};

}  // namespace onggi::image
