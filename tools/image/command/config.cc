// SPDX-License-Identifier: Apache-2.0
// `config IMAGE NAME`: one row for each thing that can be said.
#include "bundle/bundle_config.h"
#include "command/change.h"
#include "command/changed_image.h"
#include "process/user_namespace.h"
#include "store/image.h"

#include <algorithm>

namespace onggi::image {
namespace {

using Value = rapidjson::Value;
using Words = std::vector<std::string>;

Value text_value(std::string_view text, ImageEdit& edit) {
  return {text.data(), static_cast<rapidjson::SizeType>(text.size()), edit.allocator()};
}

Error wrong(std::string_view option, std::string_view text, std::string_view hint) {
  return with_hint(
      make_error(ErrorKind::invalid_config, "--", option, " '", text, "' is not valid"), hint);
}

Result<> set_words(const char* member, const Words& words, ImageEdit& edit) {
  Value array(rapidjson::kArrayType);
  for (const std::string& word : words) array.PushBack(text_value(word, edit), edit.allocator());
  edit.set(member, array);
  return {};
}

// A variable that is there gets another value, at its place.
Result<> set_environment(const char* member, const Words& variables, ImageEdit& edit) {
  Value array(rapidjson::kArrayType);
  const Value* before = edit.get(member);
  if (before != nullptr && before->IsArray()) array.CopyFrom(*before, edit.allocator());
  for (const std::string& variable : variables) {
    const size_t equals = variable.find('=');
    if (equals == 0 || equals == variable.npos) return wrong("env", variable, "NAME=VALUE");
    const std::string_view name = std::string_view(variable).substr(0, equals + 1);
    const auto same = std::find_if(array.Begin(), array.End(), [&](const Value& each) {
      return each.IsString() &&
             std::string_view(each.GetString(), each.GetStringLength()).starts_with(name);
    });
    if (same == array.End()) {
      array.PushBack(text_value(variable, edit), edit.allocator());
    } else {
      *same = text_value(variable, edit);
    }
  }
  edit.set(member, array);
  return {};
}

Result<> put_labels(const char* member, const Words& labels, ImageEdit& edit) {
  for (const std::string& label : labels) {
    const size_t equals = label.find('=');
    if (equals == 0 || equals == label.npos) return wrong("label", label, "NAME=VALUE");
    edit.put(member, label.substr(0, equals), text_value(label.substr(equals + 1), edit));
  }
  return {};
}

bool is_port(std::string_view text) {
  const size_t slash = std::min(text.find('/'), text.size());
  const std::string_view protocol = text.substr(slash);
  if (!protocol.empty() && protocol != "/tcp" && protocol != "/udp" && protocol != "/sctp")
    return false;
  const std::string_view range = text.substr(0, slash);
  const size_t dash = std::min(range.find('-'), range.size());
  const auto first = parse_decimal<uint16_t>(range.substr(0, dash));
  const auto last = dash == range.size() ? first : parse_decimal<uint16_t>(range.substr(dash + 1));
  return first && last && *first != 0 && *first <= *last;
}

Result<> put_ports(const char* member, const Words& ports, ImageEdit& edit) {
  for (const std::string& port : ports) {
    if (!is_port(port)) return wrong("port", port, "80, 8000-8010 or 53/udp");
    edit.put(member, port, Value(rapidjson::kObjectType));
  }
  return {};
}

Result<> put_volumes(const char* member, const Words& volumes, ImageEdit& edit) {
  for (const std::string& volume : volumes) {
    TRY(check_mount_point(volume, "--volume"));
    edit.put(member, volume, Value(rapidjson::kObjectType));
  }
  return {};
}

struct ListRow {
  const char* name;  // for --clear
  const char* member;
  std::vector<std::string> ConfigFlags::*words;
  Result<> (*apply)(const char* member, const Words& words, ImageEdit& edit);
};
constexpr ListRow kLists[] = {
    {"env", "Env", &ConfigFlags::env, set_environment},
    {"cmd", "Cmd", &ConfigFlags::cmd, set_words},
    {"entrypoint", "Entrypoint", &ConfigFlags::entrypoint, set_words},
    {"labels", "Labels", &ConfigFlags::label, put_labels},
    {"ports", "ExposedPorts", &ConfigFlags::port, put_ports},
    {"volumes", "Volumes", &ConfigFlags::volume, put_volumes},
};

struct TextRow {
  const char* member;
  std::string ConfigFlags::*text;
};
constexpr TextRow kTexts[] = {
    {"User", &ConfigFlags::user},
    {"WorkingDir", &ConfigFlags::workdir},
    {"StopSignal", &ConfigFlags::stop_signal},
};

Result<> apply(const ConfigFlags& flags, ImageEdit& edit) {
  for (const std::string& name : flags.clear) {
    const auto* row = std::ranges::find(kLists, std::string_view(name),
                                        [](const ListRow& each) { return each.name; });
    if (row == std::end(kLists))
      return wrong("clear", name, "env, cmd, entrypoint, labels, ports or volumes");
    edit.remove(row->member);
  }
  for (const ListRow& row : kLists) {
    if (!(flags.*row.words).empty()) TRY(row.apply(row.member, flags.*row.words, edit));
  }
  for (const TextRow& row : kTexts) {
    if (!(flags.*row.text).empty()) edit.set(row.member, text_value(flags.*row.text, edit));
  }
  if (!flags.author.empty()) edit.set_author(flags.author);
  return {};
}

}  // namespace

Result<int> config_command(const Context& context, const ConfigFlags& flags) {
  TRY(enter_user_namespace());
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const StoredImage stored = TRY(store.find(context.operands[0]));
  const Layout layout = TRY(store.read());
  const Image base = TRY(read_image(layout, stored.descriptor, host_platform()));
  ImageEdit edit = TRY(begin_change(base));
  TRY(apply(flags, edit));
  if (!flags.no_history) edit.add_history("onggi-image config", flags.message, true);
  return finish_change(context, store, edit, flags.format);
}

}  // namespace onggi::image
