// SPDX-License-Identifier: Apache-2.0
// rename(2) puts a directory in the place of an empty one, and of nothing else.
#include "store/new_directory.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "layer/remove_tree.h"
#include "process/random.h"

namespace onggi::image {
namespace {

std::string hidden_name(const std::string& name) {
  return std::string(".").append(name, 0, 200).append(".").append(std::to_string(random_number()));
}

Result<> check_free(int parent, const std::string& name, const std::string& path) {
  const long opened = sys::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (opened == -ENOENT) return {};
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd directory(opened);
  DirectoryReader entries(directory.get());
  if (TRY(entries.next()) == nullptr) return {};
  return with_hint(state_error("'", path, "' is not empty"), "use an empty or new directory");
}

}  // namespace

NewDirectory::NewDirectory(UniqueFd parent, UniqueFd directory, std::string name,
                           std::string hidden, std::string path)
    : parent_(std::move(parent)),
      directory_(std::move(directory)),
      name_(std::move(name)),
      hidden_(std::move(hidden)),
      path_(std::move(path)) {}

NewDirectory::~NewDirectory() {
  if (!directory_) return;
  const Result<> removed = remove_tree(parent_.get(), hidden_);
  if (!removed) log::warn("could not remove '" + hidden_ + "' beside '" + path_ + "', ignoring");
}

Result<NewDirectory> NewDirectory::make(const std::string& path) {
  const std::string given = TRY(absolute_path(path));
  const std::string whole = clean_path(given);
  const size_t slash = whole.rfind('/');
  std::string name = whole.substr(slash + 1);
  if (name.empty()) return make_error(ErrorKind::invalid_config, "'", path, "' is not empty");
  UniqueFd parent = TRY(open_directory(AT_FDCWD, slash == 0 ? "/" : whole.substr(0, slash)));
  TRY(check_free(parent.get(), name, path));
  std::string hidden = hidden_name(name);
  const long made = sys::mkdirat(parent.get(), hidden.c_str(), 0700);
  if (made < 0) return system_error(made, "mkdir", path);
  UniqueFd directory = TRY(open_directory(parent.get(), hidden));
  return NewDirectory(std::move(parent), std::move(directory), std::move(name), std::move(hidden),
                      whole);
}

Result<> NewDirectory::publish() {
  const long renamed =
      sys::call(SYS_renameat, parent_.get(), hidden_.c_str(), parent_.get(), name_.c_str());
  if (renamed < 0) return system_error(renamed, "rename", path_);
  directory_.reset();
  return {};
}

}  // namespace onggi::image
