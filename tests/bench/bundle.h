// SPDX-License-Identifier: Apache-2.0
// The bundles that are run: one of the two configurations beside this file, changed a little.
#pragma once
#include <filesystem>

namespace bench {

enum class Shape { plain, engine, hooks, binds, user_namespace, limits };

// A directory with the root filesystem of all bundles (static busybox, mount points) and what
// engines mount into it. Bundles are made beside that.
class Bundles {
 public:
  explicit Bundles(const std::filesystem::path& directory);
  Bundles(const Bundles&) = delete;
  Bundles& operator=(const Bundles&) = delete;
  ~Bundles();
  // The directory of a new bundle whose program is /bin/true, or sleeps.
  std::filesystem::path make(Shape shape, bool sleeps) const;

 private:
  std::filesystem::path directory_;
};

// The root filesystem of a bundle that was made so.
std::filesystem::path root_of(const std::filesystem::path& bundle);

}  // namespace bench
