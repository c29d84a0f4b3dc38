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

  // Of the last call, if it failed: whether another location of the image may do better.
  enum class Failing : uint8_t {
    us,        // no: an error of this machine, such as a full disk
    content,   // the registry works, but does not have what was asked for
    registry,  // it refuses, is out of order, or nobody answers
  };
  Failing failing() const { return failing_; }

  // Whether the registry takes the credentials. Of one that asks for none nobody knows.
  Result<> check_credentials();

  // Manifests and indexes, by tag or digest. The bytes fit the digest asked for, and the one that
  // the registry gives.
  Result<FetchedManifest> manifest(const std::string& version);
  // Type, digest and size alone, which costs nothing of a limit of pulls. What a tag's digest is,
  // is the registry's word until the manifest is fetched. Nothing: not there, or it does not tell.
  Result<std::optional<Descriptor>> announced(const std::string& version);
  // The same, by fetching it if need be. Nothing: not there.
  Result<std::optional<Descriptor>> find(const std::string& version);
  // The blobs that the registry misses, as far as it tells (else all of them): when there are any,
  // the manifest is not stored. A subject learns of the manifest, by the registry or by the tag
  // that stands in for it.
  Result<std::vector<Digest>> push(const Document& document, const std::string& version);
  // A tag alone, or by its digest a manifest with all of its tags; the tag that stands in for its
  // subject's referrers then lists it no more.
  Result<> remove(const std::string& version);

  // In the registry's order.
  Result<std::vector<std::string>> tags();
  // The manifests whose subject this is; of one artifact type, or all where that is empty.
  Result<std::vector<Descriptor>> referrers(const Digest& subject,
                                            const std::string& artifact_type);

  // All that is missing of a blob, from the registry, or else from the addresses of a foreign
  // layer, which see no credentials (CVE-2020-15157).
  Result<> fetch(PartialBlob& blob);
  // Before a push: whether the repository has the blob.
  Result<bool> has(const Descriptor& blob);
  // Whether the registry lets it be taken over from another of its repositories. A refusal, for
  // whatever reason, is no error: the blob can be pushed.
  Result<bool> mount(const Descriptor& blob, const std::string& other_repository);
  // `bytes` are those of the descriptor; the registry checks the digest.
  Result<> push(const Descriptor& blob, const Body& bytes);

 private:
  class Fetch;
  class Parts;
  class Upload;
  enum class Repeats : bool { no, yes };
  struct Pages {
    std::string subject;
    Request request = {};  // for the next one
    bool is_last = false;
    int count = 0;
  };
  struct ReferrersTag {
    std::string tag, etag;
    Index index;  // empty when there is none
  };
  Result<Url> address(std::string_view path);
  Exchange send(Request request, const Scopes& scopes, Repeats repeats);
  Exchange send_as_anybody(Request request, Exchange refused);
  Exchange next(Pages& pages);
  Exchange get_manifest(const std::string& version);
  Result<FetchedManifest> read_manifest(const std::string& version, Exchange exchange);
  Exchange put_manifest(const std::string& version, std::string_view bytes,
                        std::string_view media_type, const std::string& etag);
  Result<ReferrersTag> read_referrers_tag(const Digest& subject);
  Result<> add_referrer(const Digest& subject, const Descriptor& referrer);
  Result<> remove_referrer(const Digest& subject, const Digest& referrer);
  Result<> change_referrers(const Digest& subject, const Digest& referrer, const Descriptor* added);
  Result<std::optional<Digest>> subject_at(const Digest& digest);
  bool fetch_parts(const Url& url, PartialBlob& blob, uint64_t part_size, unsigned others);
  Result<> fetch_foreign(PartialBlob& blob, const Error& refusal);
  Error error_of(const Exchange& exchange, std::string_view subject);
  std::string subject_of(const std::string& version) const;
  Scopes scopes(std::string_view actions) const;

  Access& access_;
  Http http_;
  Failing failing_ = Failing::us;
};

}  // namespace onggi::image
