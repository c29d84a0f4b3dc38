// SPDX-License-Identifier: Apache-2.0
// One repository of a registry, by the endpoints of distribution-spec 1.1. For one thread; the
// threads of a command share an Access.
#pragma once

#include "model/document.h"
#include "registry/access.h"
#include "store/partial_blob.h"

namespace onggi::image {

struct FetchedManifest {
  Document document;
  Digest digest;
  uint64_t size = 0;
};

class Registry {
 public:
  explicit Registry(Access& access) : access_(access), http_(access.options().http) {}

  // By tag or digest. The bytes fit the digest asked for, and the one that the registry gives.
  Result<FetchedManifest> manifest(const std::string& version);
  // All that is missing of a blob, from the registry, or else from the addresses of a foreign
  // layer, which see no credentials (CVE-2020-15157).
  Result<> fetch(PartialBlob& blob);
  // In the registry's order.
  Result<std::vector<std::string>> tags();

 private:
  enum class Repeats : bool { no, yes };
  Result<Url> address(std::string_view path);
  Exchange send(Request request, const Scopes& scopes, Repeats repeats);
  Result<> fetch_from(const Url& url, bool is_registry, PartialBlob& blob);
  Exchange fetch_rest(const Url& url, bool is_registry, PartialBlob& blob);
  Result<> fetch_foreign(PartialBlob& blob, const Error& refusal);
  Error error_of(const Exchange& exchange, std::string_view subject);
  Scopes pull_scopes() const { return {"repository:" + access_.image().repository + ":pull"}; }

  Access& access_;
  Http http_;
};

}  // namespace onggi::image
