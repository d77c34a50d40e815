#include "io/atomic_file.hpp"
#include "files.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <sys/resource.h>

using namespace dalib::io;
using namespace file_tests;

namespace {

/// Makes writes beyond `bytes` fail as on a full disk, for as long as it lives.
class file_size_limit {
public:
  explicit file_size_limit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  file_size_limit(const file_size_limit&) = delete;
  file_size_limit& operator=(const file_size_limit&) = delete;
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

private:
  rlimit before_{};
  void (*handler_)(int);
};

} // namespace

TEST_CASE("the file appears complete and replaces the old one") {
  temporary_folder folder;
  write_text_file(folder / "report", "old");
  {
    atomic_file file(folder / "report");
    file.write("new ");
    file.write("contents");
    CHECK(read_bytes(folder / "report") == "old");
    file.commit();
  }
  CHECK(read_bytes(folder / "report") == "new contents");
  CHECK_FALSE(fs::exists(folder / "report.partial"));
}

TEST_CASE("without commit nothing changes") {
  temporary_folder folder;
  write_text_file(folder / "report", "old");
  { atomic_file(folder / "report").write("half"); }
  CHECK(read_bytes(folder / "report") == "old");
  CHECK_FALSE(fs::exists(folder / "report.partial"));
}

TEST_CASE("what a killed process left is overwritten") {
  temporary_folder folder;
  write_bytes(folder / "report.partial", "a long remainder of an earlier run");
  write_text_file(folder / "report", "short");
  CHECK(read_bytes(folder / "report") == "short");
}

TEST_CASE("a relative name without folder") {
  temporary_folder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_text_file("here", "text");
  fs::current_path(before);
  CHECK(read_bytes(folder / "here") == "text");
}

TEST_CASE("two writers at once") {
  temporary_folder folder;
  atomic_file first(folder / "report");
  CHECK(contains(error_of([&] { atomic_file second(folder / "report"); }), "report.partial: is being written by another process"));
  first.write("first");
  first.commit();
  CHECK(read_bytes(folder / "report") == "first");
}

TEST_CASE("a full disk leaves the old file and no partial one") {
  temporary_folder folder;
  write_text_file(folder / "report", "old");
  const std::string text(100'000, 'x');
  {
    const file_size_limit limit(50'000);
    CHECK(contains(error_of([&] { write_text_file(folder / "report", text); }), "report.partial: cannot write: File too large"));
  }
  CHECK(read_bytes(folder / "report") == "old");
  CHECK_FALSE(fs::exists(folder / "report.partial"));
}

TEST_CASE("folders that do not take files") {
  temporary_folder folder;
  write_bytes(folder / "file", "");
  fs::create_directory(folder / "taken");
  write_bytes(folder / "taken/inside", "");
  CHECK(contains(error_of([&] { write_text_file(folder / "absent/report", ""); }), "absent/report.partial: cannot create: No such file"));
  CHECK(contains(error_of([&] { write_text_file(folder / "file/report", ""); }), "cannot create: Not a directory"));
  CHECK(contains(error_of([&] { write_text_file(folder / "taken", ""); }), "taken: cannot rename"));
  CHECK_FALSE(fs::exists(folder / "taken.partial"));
}
