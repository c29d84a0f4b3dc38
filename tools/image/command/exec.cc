// SPDX-License-Identifier: Apache-2.0
// The process is that of config.json with another program: capabilities, filter, limits and labels
// are the container's own. An ordinary user does not enter a user namespace first: only from
// outside has he rights over that of the container.
#include "command/exec.h"

#include "base/file.h"
#include "base/path.h"
#include "bundle/container_watch.h"
#include "bundle/user.h"
#include "command/container_files.h"
#include "model/json.h"
#include "process/supervised.h"

#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace onggi::image {
namespace {

using Json = rapidjson::Document;
using Value = rapidjson::Value;

Value text_value(std::string_view text, Json& json) {
  return {text.data(), static_cast<rapidjson::SizeType>(text.size()), json.GetAllocator()};
}

// A variable of the same name is replaced; "NAME" has the value of this environment, or goes.
void set_variable(Json& process, std::string_view variable) {
  const std::string name(variable.substr(0, variable.find('=')));
  Value& environment =
      rapidjson::Pointer("/env").GetWithDefault(process, Value(rapidjson::kArrayType));
  Value kept(rapidjson::kArrayType);
  for (auto& each : environment.GetArray()) {
    const std::string_view text(each.GetString(), each.GetStringLength());
    if (!text.starts_with(name + "=")) kept.PushBack(each, process.GetAllocator());
  }
  std::string whole(variable);
  const char* own = name.size() == variable.size() ? std::getenv(name.c_str()) : nullptr;
  if (own != nullptr) whole = name + "=" + own;
  if (whole.size() > name.size()) kept.PushBack(text_value(whole, process), process.GetAllocator());
  environment = kept;
}

bool has_variable(const Json& process, std::string_view name) {
  const Value* environment = rapidjson::Pointer("/env").Get(process);
  if (environment == nullptr || !environment->IsArray()) return false;
  for (const auto& each : environment->GetArray()) {
    if (each.IsString() && std::string_view(each.GetString()).starts_with(std::string(name) + "="))
      return true;
  }
  return false;
}

// As the container's own user has them: all for root, none for others until a set-id program.
void set_user(Json& process, const ContainerUser& user) {
  auto& allocator = process.GetAllocator();
  Value object(rapidjson::kObjectType), groups(rapidjson::kArrayType);
  for (uint32_t gid : user.groups) groups.PushBack(gid, allocator);
  object.AddMember("uid", user.uid, allocator);
  object.AddMember("gid", user.gid, allocator);
  object.AddMember("additionalGids", groups, allocator);
  rapidjson::Pointer("/user").Set(process, object);
  const Value* bounding = rapidjson::Pointer("/capabilities/bounding").Get(process);
  if (bounding == nullptr) return;
  for (const char* set : {"/capabilities/effective", "/capabilities/permitted"}) {
    Value held(rapidjson::kArrayType);
    if (user.uid == 0) held.CopyFrom(*bounding, allocator);
    rapidjson::Pointer(set).Set(process, held);
  }
  for (const char* set : {"/capabilities/inheritable", "/capabilities/ambient"})
    rapidjson::Pointer(set).Erase(process);
}

Result<UniqueFd> open_root(const ContainerProcess& process) {
  return open_directory(AT_FDCWD, "/proc/" + std::to_string(process.pid) + "/root");
}

Result<std::string> process_text(const ContainerWatch& watch, const ContainerProcess& running,
                                 const ExecOptions& options, cli::Arguments words) {
  const Json config = TRY(runtime_config(watch.directory()));
  const Value* own = member_of(config, "process");
  if (own == nullptr || !own->IsObject())
    return config_error("process", "config.json of the container does not have it");
  Json process;
  process.CopyFrom(*own, process.GetAllocator());
  Value arguments(rapidjson::kArrayType);
  for (std::string_view word : words)
    arguments.PushBack(text_value(word, process), process.GetAllocator());
  rapidjson::Pointer("/args").Set(process, arguments);
  rapidjson::Pointer("/terminal").Set(process, options.tty);
  rapidjson::Pointer("/consoleSize").Erase(process);
  if (!options.user.empty()) {
    const UniqueFd root = TRY(open_root(running));
    const ContainerUser user = TRY(resolve_user(options.user, root.get()));
    set_user(process, user);
    set_variable(process, "HOME=" + user.home);
  }
  if (options.tty && !has_variable(process, "TERM")) set_variable(process, "TERM=xterm");
  for (const std::string& variable : options.env) set_variable(process, variable);
  if (!options.workdir.empty()) {
    if (!options.workdir.starts_with('/')) {
      return make_error(ErrorKind::invalid_config, "--workdir '", options.workdir,
                        "' must be an absolute path");
    }
    rapidjson::Pointer("/cwd").Set(process, text_value(clean_path(options.workdir), process));
  }
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  process.Accept(writer);
  return std::string(text.GetString(), text.GetSize());
}

// A file without a name, for the runtime.
class MemoryFile {
 public:
  static Result<MemoryFile> make(const char* name, std::string_view text) {
    const long made = sys::memfd_create(name, MFD_CLOEXEC);
    if (made < 0) return system_error(made, "memfd_create");
    MemoryFile file{UniqueFd(made)};
    TRY(write_all(file.fd_.get(), name, text));
    return file;
  }
  std::string path() const {
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_.get());
  }

 private:
  explicit MemoryFile(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// The program has nobody's output, so the runtime has its log for what it has to say.
Result<int> execute_detached(const ContainerRecord& record, std::vector<std::string> words) {
  constexpr size_t kLogLimit = 64u << 10;
  const MemoryFile log = TRY(MemoryFile::make("log", ""));
  const UniqueFd nowhere(sys::openat(AT_FDCWD, "/dev/null", O_WRONLY | O_CLOEXEC));
  SupervisedCall call;
  call.arguments = runtime_command(record.runtime);
  call.arguments.insert(call.arguments.end(), {"--log", log.path()});
  call.arguments.insert(call.arguments.end(), words.begin(), words.end());
  call.arguments.insert(call.arguments.end(), {"--detach", record.id});
  call.reads_input = false;
  call.output = call.error = nowhere.get();
  const int status = TRY(run_supervised(call));
  const Result<std::string> said = read_file(AT_FDCWD, log.path(), kLogLimit);
  if (status != 0 && said) TRY(write_all(STDERR_FILENO, "standard error", said.value()));
  return status;
}

}  // namespace

Result<int> exec_command(const Context& context, const ExecOptions& options) {
  if (context.operands.size() < 2) {
    return with_hint(make_error(ErrorKind::invalid_config, "no program is given"),
                     "name one after the container");
  }
  if (options.detach && (options.interactive || options.tty)) {
    return with_hint(make_error(ErrorKind::invalid_config, "--detach cannot be combined with ",
                                options.tty ? "--tty" : "--interactive"),
                     "remove one of them");
  }
  std::optional<ContainerWatch> watch;
  {
    const Store store = TRY(Store::open(context.global.root, LockKind::shared));
    watch.emplace(TRY(ContainerWatch::open(store, std::string(context.operands[0]))));
  }
  const std::optional<ContainerProcess> running = TRY(watch->process());
  if (!running) {
    return with_hint(state_error("the container is not running"),
                     "use 'onggi-image start' to start it");
  }
  const std::string text =
      TRY(process_text(*watch, *running, options, context.operands.subspan(1)));
  const MemoryFile process = TRY(MemoryFile::make("process.json", text));
  std::vector<std::string> words = {"exec", "--process", process.path()};
  if (options.detach) return execute_detached(watch->record(), std::move(words));
  SupervisedCall call;
  call.arguments = runtime_command(watch->record().runtime);
  call.arguments.insert(call.arguments.end(), words.begin(), words.end());
  call.arguments.push_back(watch->record().id);
  call.reads_input = options.interactive || options.tty;
  return run_supervised(call);
}

}  // namespace onggi::image
