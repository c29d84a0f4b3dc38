// SPDX-License-Identifier: Apache-2.0
// One blob out of a fake registry, and what is on the disk after that.
#pragma once

#include "registry_fixture.h"

namespace onggi::image::test {

struct Fetch {
  std::optional<Error> error;
  bool is_there = false;  // under its name, with the right bytes
  bool has_partial = false;
};

inline Fetch fetch(Client& client, const TemporaryDirectory& directory,
                   const Descriptor& descriptor, const std::string& bytes) {
  const auto result = [&]() -> Result<> {
    PartialBlob blob = TRY(PartialBlob::open(directory.fd(), descriptor));
    TRY(client.registry.fetch(blob));
    return blob.publish(directory.fd(), "blob");
  }();
  Fetch fetched;
  if (!result) fetched.error = result.error();
  for (const std::string& name : directory.names()) {
    if (name == "blob") {
      CHECK(directory.read(name) == bytes);
      fetched.is_there = true;
    } else {
      fetched.has_partial = true;
    }
  }
  return fetched;
}

// The first request for a blob gets `answer`, all others what the table has.
inline void answer_first(FakeRegistry& server, const Answer& answer) {
  auto is_first = std::make_shared<std::atomic<bool>>(true);
  server.respond([=](const Received& request) -> std::optional<Answer> {
    if (request.target.find("/blobs/") == std::string::npos || !is_first->exchange(false))
      return std::nullopt;
    return answer;
  });
}

inline void answer_always(FakeRegistry& server, const Answer& answer) {
  server.respond([=](const Received& request) -> std::optional<Answer> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    return answer;
  });
}

}  // namespace onggi::image::test
