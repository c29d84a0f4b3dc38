// SPDX-License-Identifier: Apache-2.0
// `features` is parsed by engines that read standard output and error together, so it says nothing
// else.
#include "cli/about.h"

#include "base/caller_path.h"
#include "base/file.h"
#include "base/path.h"
#include "cli/version.h"
#include "linux/probe.h"
#include "linux/seccomp_support.h"
#include "spec/default_spec.h"
#include "spec/features.h"
#include "spec/version.h"

namespace onggi::cli {

Result<int> spec_command(const Context&, const SpecOptions& options) {
  const std::string path = join_path(options.bundle, options.config);
  const CallersFile place = TRY(open_callers_directory(path));
  const long fd =
      sys::openat(place.directory.get(), place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (fd == -EEXIST)
    return with_hint(
        system_error(fd, "open", path),
        "existing files are not overwritten: remove it, or name another file with --config");
  if (fd < 0) return system_error(fd, "open", path);
  const UniqueFd file(fd);
  const auto id = [](long number) { return static_cast<uint32_t>(sys::call(number)); };
  TRY(write_all(file.get(), path,
                options.rootless ? spec::default_rootless_spec(id(SYS_geteuid), id(SYS_getegid))
                                 : spec::default_spec()));
  return 0;
}

Result<int> features(const Context&, const NoOptions&) {
  const std::string libseccomp = libseccomp_version();
  spec::HostFeatures host;
  host.version = kVersion;
  host.commit = kCommit;
  host.capabilities = kernel_capabilities();
  host.libseccomp_version = libseccomp;
  host.seccomp_architectures = seccomp_architectures();
  host.seccomp_supported_flags = seccomp_supported_flags();
  return print(spec::features_document(host));
}

std::string version_text() {
  std::string text = "onggi version ";
  text.append(kVersion)
      .append("\ncommit: ")
      .append(kCommit)
      .append("\nspec: ")
      .append(spec::kVersion);
  return text.append("\nlibseccomp: ").append(libseccomp_version()).append("\n");
}

}  // namespace onggi::cli
