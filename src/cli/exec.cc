// SPDX-License-Identifier: Apache-2.0
// Engines pass a document (--process), people single flags; a document says all, so the two do not
// mix.
#include "cli/exec.h"

#include "base/file.h"
#include "spec/capabilities.h"
#include "spec/parse.h"

#include <algorithm>
#include <tuple>

namespace onggi::cli {
namespace {

Error wrong_value(const char* flag, std::string_view text, std::string_view wanted) {
  return make_error(ErrorKind::invalid_config, flag, " '", text, "' is not ", wanted);
}

Result<> read_user(std::string_view text, ExecOptions& options) {
  if (text.empty()) return {};
  const size_t colon = text.find(':');
  options.uid = parse_decimal<uint32_t>(text.substr(0, colon));
  if (colon != std::string_view::npos)
    options.gid = parse_decimal<uint32_t>(text.substr(colon + 1));
  if (!options.uid || (colon != std::string_view::npos && !options.gid))
    return make_error(ErrorKind::invalid_config, "--user '", text,
                      "' must be numeric: UID or UID:GID");
  return {};
}

Result<> read_groups(const std::vector<std::string>& texts, ExecOptions& options) {
  for (const std::string& text : texts) {
    const std::optional<uint32_t> gid = parse_decimal<uint32_t>(text);
    if (!gid) return wrong_value("--additional-gids", text, "a group id");
    options.additional_gids.push_back(*gid);
  }
  return {};
}

Result<> read_capabilities(const std::vector<std::string>& names, ExecOptions& options) {
  for (const std::string& name : names) {
    const std::optional<unsigned> number = spec::capability_number(name);
    if (!number) {
      const std::string meant = spec::capability_meant(name);
      Error error = wrong_value("--cap", name, "a capability, such as CAP_NET_RAW");
      if (!meant.empty()) error.hint.append("did you mean ", meant, "?");
      return error;
    }
    options.capabilities |= uint64_t{1} << *number;
  }
  return {};
}

// "cpu,memory:/batch" or "/batch"
Result<> read_cgroups(const std::vector<std::string>& texts, ExecOptions& options) {
  for (const std::string& text : texts) {
    cgroups::Subgroup subgroup;
    std::string_view rest = text;
    if (const size_t colon = rest.find(':'); colon != std::string_view::npos) {
      for (std::string_view names = rest.substr(0, colon); !names.empty();) {
        const size_t comma = std::min(names.find(','), names.size());
        subgroup.controllers.emplace_back(names.substr(0, comma));
        names.remove_prefix(std::min(comma + 1, names.size()));
      }
      rest.remove_prefix(colon + 1);
      if (subgroup.controllers.empty())
        return wrong_value("--cgroup", text, "[CONTROLLER,...:]PATH");
    }
    subgroup.path = rest;
    options.cgroups.push_back(std::move(subgroup));
  }
  return {};
}

// The first of the flags that a document would have made void.
const char* flag_beside_document(const ExecFlags& flags) {
  const std::pair<bool, const char*> rows[] = {
      {!flags.cwd.empty(), "--cwd"},
      {!flags.env.empty(), "--env"},
      {!flags.user.empty(), "--user"},
      {!flags.additional_gids.empty(), "--additional-gids"},
      {!flags.capabilities.empty(), "--cap"},
      {flags.no_new_privileges.has_value(), "--no-new-privs"},
      {!flags.selinux_label.empty(), "--process-label"},
      {!flags.apparmor_profile.empty(), "--apparmor"},
  };
  const auto* given = std::ranges::find(rows, true, &std::pair<bool, const char*>::first);
  return given == std::end(rows) ? nullptr : given->second;
}

Result<> check_document(const ExecFlags& flags, Arguments words) {
  if (const char* flag = flag_beside_document(flags)) {
    return with_hint(
        make_error(ErrorKind::invalid_config, flag, " cannot be combined with --process"),
        "set it in the file that --process names");
  }
  if (words.empty()) return {};
  return make_error(ErrorKind::invalid_config, "unexpected argument '", words[0],
                    "': with --process, the arguments come from its file");
}

// What the place of an error in `process` was given by on the command line.
std::string place_of(std::string_view field, const ExecFlags& flags) {
  const std::tuple<std::string_view, bool, const char*> rows[] = {
      {"env", !flags.env.empty(), "--env"},
      {"cwd", !flags.cwd.empty(), "--cwd"},
      {"user.uid", !flags.user.empty(), "--user"},
      {"user.gid", !flags.user.empty(), "--user"},
      {"user.additionalGids", !flags.additional_gids.empty(), "--additional-gids"},
      {"capabilities", !flags.capabilities.empty(), "--cap"},
      {"apparmorProfile", !flags.apparmor_profile.empty(), "--apparmor"},
      {"selinuxLabel", !flags.selinux_label.empty(), "--process-label"},
      {"terminal", flags.tty, "--tty"},
  };
  for (const auto& [prefix, given, flag] : rows) {
    if (given && field.starts_with(prefix)) return flag;
  }
  if (flags.process.empty()) return {};
  return document_name("--process", flags.process) + ": " + std::string(field);
}

// The runtime knows the fields of config.json alone. The program's own errors stay as they are.
Error of_command_line(Error error, const ExecFlags& flags) {
  constexpr std::string_view kProcess = "process.";
  const std::string_view place = error.place.view();
  if (!place.starts_with(kProcess) || place.starts_with("process.args")) return error;
  const std::string given = place_of(place.substr(kProcess.size()), flags);
  if (given.empty()) return error;
  error.place = FixedText<128>(given);
  constexpr std::string_view kField = "is true, but ", kOmit = "or set process.terminal to false";
  const std::string message(error.message.view()), hint(error.hint.view());
  if (given != "--tty" || !message.starts_with(kField)) return error;
  error.message = FixedText<640>(message.substr(kField.size()));
  error.hint = FixedText<160>(hint.substr(0, hint.find(kOmit)));
  error.hint.append("or omit --tty");
  return error;
}

}  // namespace

Result<ExecOptions> exec_options_of(const ExecFlags& flags, Arguments words) {
  if (!flags.process.empty()) TRY(check_document(flags, words));
  if (flags.process.empty() && words.empty()) {
    return with_hint(make_error(ErrorKind::invalid_config, "no program to run"),
                     "give a program after the container ID, or pass --process FILE");
  }
  ExecOptions options;
  options.args.assign(words.begin(), words.end());
  options.env = flags.env;
  options.cwd = flags.cwd;
  options.selinux_label = flags.selinux_label;
  options.apparmor_profile = flags.apparmor_profile;
  options.no_new_privileges = flags.no_new_privileges;
  options.terminal = flags.tty;
  options.console_socket = flags.console_socket;
  options.pidfd_socket = flags.pidfd_socket;
  options.pid_file = flags.pid_file;
  options.preserve_fds = flags.preserve_fds;
  options.detach = flags.detach;
  options.ignore_paused = flags.ignore_paused;
  TRY(read_user(flags.user, options));
  TRY(read_groups(flags.additional_gids, options));
  TRY(read_capabilities(flags.capabilities, options));
  TRY(read_cgroups(flags.cgroups, options));
  return options;
}

Result<int> exec_command(const Context& context, const ExecFlags& flags) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  ExecOptions options = TRY(exec_options_of(flags, context.operands.subspan(1)));
  options.id = context.operands[0];
  if (!flags.process.empty()) {
    const std::string document = TRY(read_file(AT_FDCWD, flags.process, spec::kMaxDocumentSize));
    options.document =
        TRY(spec::parse_process(document, document_name("--process", flags.process)));
  }
  Result<int> status = exec_in_container(runtime, options);
  if (!status) return of_command_line(status.error(), flags);
  return status;
}

}  // namespace onggi::cli
