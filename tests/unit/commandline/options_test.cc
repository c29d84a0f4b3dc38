// SPDX-License-Identifier: Apache-2.0
#include "commandline/options.h"

#include "base/nearest.h"

#include <doctest/doctest.h>

#include <initializer_list>

namespace onggi::cli {
namespace {

enum class Colour { red, green };
struct Options {
  std::string directory;
  uint32_t count = 0;
  bool all = false, quiet = false;
  Colour colour = Colour::red;
};
constexpr auto kRows = options<Options>({
    option<&Options::directory>("directory", 'd', "DIR", "where"),
    option<&Options::count>("count", 'c', "N", "how many"),
    option<&Options::all>("all", 'a', nullptr, "everything"),
    option<&Options::quiet>("quiet", 'q', nullptr, "say less"),
    option<&Options::colour>("colour", 0, "red|green", "of it"),
    shorthand<&Options::colour, Colour::green>("green", 0, "--colour green"),
});

struct Outcome {
  Options options;
  std::vector<std::string_view> operands;
  bool help = false;
  std::string error, hint;
};

Outcome parse(std::initializer_list<std::string_view> words, Operands mode = Operands::mixed) {
  Outcome outcome;
  const std::vector<std::string_view> arguments(words);
  const Result<ParsedArguments> parsed = parse_options(kRows, &outcome.options, arguments, mode);
  if (parsed) {
    outcome.operands = parsed.value().operands;
    outcome.help = parsed.value().help;
  } else {
    outcome.error = parsed.error().message.view();
    outcome.hint = parsed.error().hint.view();
  }
  return outcome;
}

TEST_CASE("a value may follow, or be attached by = or to its letter") {
  for (auto words : {std::initializer_list<std::string_view>{"--directory", "/x"},
                     {"--directory=/x"},
                     {"-d", "/x"},
                     {"-d/x"},
                     {"-d=/x"},
                     {"-directory", "/x"},
                     {"-directory=/x"}}) {
    const Outcome outcome = parse(words);
    CAPTURE(*words.begin());
    CHECK(outcome.error == "");
    CHECK(outcome.options.directory == "/x");
  }
  CHECK(parse({"--directory="}).options.directory == "");
  CHECK(parse({"--directory", "--all"}).options.directory == "--all");
}

TEST_CASE("letters of flags cluster, the last may take a value") {
  const Outcome outcome = parse({"-aqc7"});
  CHECK(outcome.options.all);
  CHECK(outcome.options.quiet);
  CHECK(outcome.options.count == 7);
}

TEST_CASE("options and operands mix, until --") {
  const Outcome outcome = parse({"web", "--all", "9", "--", "-q"});
  CHECK(outcome.options.all);
  CHECK_FALSE(outcome.options.quiet);
  CHECK(outcome.operands == std::vector<std::string_view>{"web", "9", "-q"});
  CHECK(parse({"-"}).operands == std::vector<std::string_view>{"-"});
}

TEST_CASE("the first operand can end the options") {
  const Outcome outcome = parse({"-a", "create", "--whatever", "-q"}, Operands::last);
  CHECK(outcome.options.all);
  CHECK_FALSE(outcome.options.quiet);
  CHECK(outcome.operands == std::vector<std::string_view>{"create", "--whatever", "-q"});
}

TEST_CASE("flags take =true and =false") {
  CHECK(parse({"--all=true"}).options.all);
  CHECK_FALSE(parse({"--all", "--all=false"}).options.all);
  CHECK(parse({"--all=maybe"}).error == "--all 'maybe' is not true or false");
}

TEST_CASE("a choice is one of its words, and the last one wins") {
  CHECK(parse({"--colour", "green"}).options.colour == Colour::green);
  CHECK(parse({"--green"}).options.colour == Colour::green);
  CHECK(parse({"--green", "--colour=red"}).options.colour == Colour::red);
  CHECK(parse({"--colour", "blue"}).error == "--colour 'blue' is not one of red|green");
  CHECK(parse({"--colour="}).error == "--colour '' is not one of red|green");
}

TEST_CASE("help ends the parsing") {
  CHECK(parse({"--help", "--nonsense"}).help);
  for (const char* spelling : {"-h", "-?", "--usage"}) CHECK(parse({spelling}).help);
}

TEST_CASE("wrong options are named, with a suggestion") {
  CHECK(parse({"--directroy", "x"}).error == "unknown option '--directroy'");
  CHECK(parse({"--directroy", "x"}).hint == "did you mean '--directory'?");
  CHECK(parse({"--zzz"}).hint == "");
  CHECK(parse({"-az"}).error == "unknown option '-z'");
  CHECK(parse({"--"}).error == "");
  CHECK(parse({"--="}).error == "unknown option '--'");
  CHECK(parse({"--count"}).error == "--count requires a value: N");
  CHECK(parse({"--count", "-1"}).error == "--count '-1' is not a number");
}

TEST_CASE("nearest allows one slip in three letters, and no word of megabytes") {
  constexpr std::string_view kWords[] = {"create", "delete", "kill", "run"};
  CHECK(nearest("craete", kWords) == "create");
  CHECK(nearest("delte", kWords) == "delete");
  CHECK(nearest("rnu", kWords) == "run");
  CHECK(nearest("features", kWords) == "");
  CHECK(nearest("", kWords) == "");
  CHECK(nearest("CREATE", kWords) == "create");
  CHECK(nearest(std::string(1 << 20, 'c'), kWords) == "");
}

}  // namespace
}  // namespace onggi::cli
