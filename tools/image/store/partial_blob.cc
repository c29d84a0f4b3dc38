// SPDX-License-Identifier: Apache-2.0
// The hash of what is there already is made again when a transfer is taken up: reading a file costs
// less than a stored hash state would in code.
#include "store/partial_blob.h"

#include "base/file.h"
#include "store/lock.h"

#include <unistd.h>

#include <algorithm>

namespace onggi::image {

namespace {

std::string file_name(const Digest& digest) {
  std::string name = digest.text();
  std::ranges::replace(name, ':', '-');
  return name;
}

}  // namespace

PartialBlob::PartialBlob(int directory, const Descriptor& descriptor, UniqueFd file)
    : directory_(directory),
      descriptor_(descriptor),
      name_(file_name(descriptor.digest)),
      file_(std::move(file)),
      hasher_(descriptor.digest.algorithm()) {}

Result<PartialBlob> PartialBlob::open(int directory, const Descriptor& descriptor) {
  UniqueFd file =
      TRY(open_locked_file(directory, file_name(descriptor.digest), LockKind::exclusive));
  PartialBlob blob(directory, descriptor, std::move(file));
  TRY(blob.take_up());
  return blob;
}

Result<> PartialBlob::take_up() {
  std::string buffer(256u << 10, '\0');
  while (true) {
    const long count = sys::read(file_.get(), buffer.data(), buffer.size());
    if (count < 0) return system_error(count, "read", name_);
    if (count == 0) return {};
    size_ += static_cast<uint64_t>(count);
    if (size_ > descriptor_.size) return restart();  // not ours
    hasher_.update({buffer.data(), static_cast<size_t>(count)});
  }
}

Result<> PartialBlob::append(std::string_view bytes) {
  if (bytes.size() > descriptor_.size - size_) {
    (void)restart();
    return make_error(ErrorKind::invalid_config, descriptor_.digest.text(), ": longer than the ",
                      descriptor_.size, " bytes in its descriptor");
  }
  TRY(write_all(file_.get(), name_, bytes));
  hasher_.update(bytes);
  set_size(size_ + bytes.size());
  return {};
}

Result<> PartialBlob::restart() {
  if (ftruncate(file_.get(), 0) != 0) return system_error(-errno, "ftruncate", name_);
  if (lseek(file_.get(), 0, SEEK_SET) != 0) return system_error(-errno, "lseek", name_);
  hasher_ = Hasher(descriptor_.digest.algorithm());
  set_size(0);
  return {};
}

Result<> PartialBlob::remove() {
  const long removed = sys::unlinkat(directory_, name_.c_str(), 0);
  if (removed < 0) return system_error(removed, "unlink", name_);
  return {};
}

void PartialBlob::count_in(std::atomic<uint64_t>& counter) {
  counter_ = &counter;
  set_size(size_);
}

void PartialBlob::set_size(uint64_t size) {
  size_ = size;
  if (counter_ != nullptr) counter_->store(size, std::memory_order_relaxed);
}

Result<> PartialBlob::publish(int directory, const std::string& name) {
  const Digest found = hasher_.finish();
  if (found != descriptor_.digest || !is_complete()) {
    (void)sys::unlinkat(directory_, name_.c_str(), 0);
    return make_error(ErrorKind::invalid_config, "the content received for ",
                      descriptor_.digest.text(), " has the digest ", found.text());
  }
  // Else a crash could leave a name over blocks that were never written.
  if (fsync(file_.get()) != 0) return system_error(-errno, "fsync", name_);
  if (const long changed = sys::fchmod(file_.get(), 0644); changed < 0)
    return system_error(changed, "fchmod", name_);
  const long renamed = sys::renameat(directory_, name_.c_str(), directory, name.c_str());
  if (renamed < 0) return system_error(renamed, "rename", name);
  return {};
}

}  // namespace onggi::image
