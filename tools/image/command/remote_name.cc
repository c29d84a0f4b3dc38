// SPDX-License-Identifier: Apache-2.0
// As podman's short-name-mode: what a registry answers first must not decide what is run, unless
// the user has permitted it.
#include "command/remote_name.h"

#include "base/log.h"
#include "command/question.h"
#include "store/short_names.h"

namespace onggi::image {

namespace {

constexpr std::string_view kDockerPrefix = "docker://";

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : ", ") += name;
  return text;
}

Error ambiguous(std::string_view text, const std::vector<std::string>& names) {
  return with_hint(make_error(ErrorKind::invalid_config, "'", text,
                              "' is a short name, which may stand for ", listed(names)),
                   "give the name in full, or add it to [aliases] in registries.conf");
}

Result<std::string> ask(std::string_view text, const std::vector<std::string>& names) {
  std::string question = std::string(text) + " may stand for several images:\n";
  for (size_t i = 0; i < names.size(); ++i)
    question += "  " + std::to_string(i + 1) + "  " + names[i] + "\n";
  question += "Number of the image (1 to " + std::to_string(names.size()) + "): ";
  const std::string answer = TRY(read_line(question));
  const auto number = parse_decimal<size_t>(answer);
  if (number && *number >= 1 && *number <= names.size()) return names[*number - 1];
  return ambiguous(text, names);
}

}  // namespace

Result<RemoteName> choose_remote_name(std::string_view text) {
  if (text.starts_with(kDockerPrefix)) {
    const Reference reference = TRY(parse_reference(text.substr(kDockerPrefix.size())));
    return RemoteName{{to_text(reference)}, {}};
  }
  NameChoices choices = TRY(remote_names(text));
  if (choices.names.size() == 1 || choices.mode == ShortNameMode::disabled)
    return RemoteName{std::move(choices.names), {}};
  if (can_ask()) return RemoteName{{TRY(ask(text, choices.names))}, std::string(text)};
  if (choices.mode == ShortNameMode::enforcing) return ambiguous(text, choices.names);
  return RemoteName{std::move(choices.names), {}};
}

void remember(const RemoteName& name) {
  if (name.answered.empty()) return;
  const Result<> remembered = remember_choice(name.answered, name.names.front());
  if (!remembered) log::warn("the answer is not kept", remembered.error());
}

Result<Reference> parse_remote(std::string_view text) {
  const RemoteName name = TRY(choose_remote_name(text));
  if (name.names.size() > 1) return ambiguous(text, name.names);
  return parse_reference(name.names.front());
}

}  // namespace onggi::image
