// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "transfer/copy.h"

#include "base/log.h"
#include "transfer/source_image.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace onggi::image {

namespace {

constexpr int kIndexDepth = 4;
constexpr size_t kMostDocuments = 10'000;

using Named = ImageSource::Named;

const std::string& bytes_of(const Document& document) {
  return std::visit([](const auto& each) -> const std::string& { return each.raw; }, document);
}

void warn_of_assumptions(const Named& named) {
  const auto* manifest = std::get_if<Manifest>(&named.document);
  if (manifest == nullptr) return;
  for (const std::string& each : manifest->assumptions)
    log::warn(named.descriptor.digest.text() + ": " + each);
}

// All that one name stands for.
class Parts {
 public:
  explicit Parts(ImageSource& source) : source_(source) {}

  std::vector<Named> documents;  // below the named one, each behind its own parts
  std::deque<BlobProgress> blobs;

  Result<> add_below(const Document& document, int depth) {
    if (const auto* manifest = std::get_if<Manifest>(&document)) {
      add_blob(manifest->config);
      for (const Descriptor& layer : manifest->layers) add_blob(layer);
      return {};
    }
    if (depth == kIndexDepth) {
      return make_error(ErrorKind::invalid_config, "indexes are nested deeper than ", kIndexDepth);
    }
    for (const Descriptor& each : std::get<Index>(document).manifests) TRY(add(each, depth + 1));
    return {};
  }

 private:
  Result<> add(const Descriptor& descriptor, int depth) {
    if (!seen_.insert(descriptor.digest).second) return {};
    if (seen_.size() > kMostDocuments)
      return make_error(ErrorKind::invalid_config, "more than ", kMostDocuments, " manifests");
    Result<Document> read = source_.document(descriptor);
    if (!read) {
      return with_hint(read.error(),
                       descriptor.platform
                           ? "if the source does not have all platforms, choose one with --platform"
                           : "");
    }
    Document document = std::move(read).value();
    TRY(add_below(document, depth));
    documents.push_back(with_type(descriptor, std::move(document)));
    return {};
  }

  // Layers repeat a digest, and images share them.
  void add_blob(const Descriptor& blob) {
    if (blobs_seen_.insert(blob.digest).second) blobs.emplace_back().blob = blob;
  }

  ImageSource& source_;
  std::set<Digest> seen_, blobs_seen_;
};

// Blobs by several threads; the first error ends all of them after the blob they are at.
class Movers {
 public:
  Movers(ImageSource& source, ImageTarget& target, std::deque<BlobProgress>& blobs, CopyView& view)
      : source_(source), target_(target), blobs_(blobs), view_(view) {}

  Result<> run(unsigned threads) {
    std::vector<std::thread> others;
    const size_t wanted = std::min<size_t>(threads, blobs_.size());
    for (size_t i = 1; i < wanted; ++i) others.emplace_back([this] { work(); });
    work();
    for (std::thread& each : others) each.join();
    if (error_) return *error_;
    return {};
  }

 private:
  void work() {
    while (BlobProgress* blob = take()) {
      const Result<> moved = move(*blob);
      if (moved) continue;
      const std::scoped_lock lock(mutex_);
      if (!error_) error_ = moved.error();
    }
  }

  BlobProgress* take() {
    const std::scoped_lock lock(mutex_);
    if (error_ || next_ == blobs_.size()) return nullptr;
    return &blobs_[next_++];
  }

  Result<> move(BlobProgress& blob) {
    using State = BlobProgress::State;
    const bool needed = TRY(target_.needs(blob.blob));
    if (needed) {
      blob.state = State::moving;
      TRY(target_.put_blob(blob.blob, source_, blob.done));
    }
    blob.state = needed ? State::moved : State::was_there;
    view_.finished(blob);
    return {};
  }

  ImageSource& source_;
  ImageTarget& target_;
  std::deque<BlobProgress>& blobs_;
  CopyView& view_;
  std::mutex mutex_;
  size_t next_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<Named> copy_image(ImageSource& source, ImageTarget& target, const CopyOptions& options,
                         CopyView& view) {
  Named named = TRY(source.named());
  warn_of_assumptions(named);
  if (options.platform) named = TRY(choose_platform(source, std::move(named), *options.platform));
  Parts parts(source);
  TRY(parts.add_below(named.document, 0));
  for (const Named& each : parts.documents) warn_of_assumptions(each);
  view.begin(named, parts.documents, parts.blobs);
  const Result<> moved = Movers(source, target, parts.blobs, view).run(options.threads);
  const Result<> ended = view.end(static_cast<bool>(moved));
  TRY(moved);
  TRY(ended);
  for (const Named& each : parts.documents)
    TRY(target.put_document(each.descriptor, bytes_of(each.document)));
  TRY(target.put_named(named.descriptor, bytes_of(named.document)));
  return named;
}

}  // namespace onggi::image
