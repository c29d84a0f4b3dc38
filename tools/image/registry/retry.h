// SPDX-License-Identifier: Apache-2.0
// Which answers are worth another try, and when (RFC 9110 section 10.2.3, RFC 6585 section 4).
#pragma once

#include "model/digest.h"
#include "registry/clock.h"
#include "registry/http.h"

namespace onggi::image {

// A broken connection, 408, 429, 500, 502, 503, 504, 522.
bool is_worth_another_try(const Exchange& exchange);

// How long a server that is out of order is asked again.
enum class Patience : uint8_t {
  // Five tries, with pauses of 2, 4, 8 and 16 seconds and up to a quarter more, or as long as
  // Retry-After says, but at most a minute. A Retry-After beyond all of that ends the tries at
  // once: the server would only be asked in vain.
  full,
  brief,  // two tries, for a server in whose place another one can be asked
};

class Backoff {
 public:
  explicit Backoff(Clock& clock, Patience patience = Patience::full)
      : clock_(clock), patience_(patience) {}
  // Sleeps before the next try. False: there is none.
  bool wait(const Exchange& exchange);
  void restart() { tries_ = 1; }

 private:
  Clock& clock_;
  const Patience patience_;
  int tries_ = 1;
};

// For requests that may be repeated.
Exchange send_with_retries(Http& http, Clock& clock, const Request& request, Patience patience);

// An answer that is none of those that were hoped for, with what the registry says about it
// (distribution-spec, "Error codes"). `subject` is what was asked for.
Error status_error(const Response& response, std::string_view subject);
// The same, or why there is no answer.
Error exchange_error(const Exchange& exchange, std::string_view subject);

// What a registry says of a digest counts for nothing beside the bytes, but one that says another
// than theirs has not got what we have. Nothing said is fine, and so is another algorithm.
Result<> check_announced_digest(const Response& response, const Digest& digest,
                                std::string_view subject);

}  // namespace onggi::image
