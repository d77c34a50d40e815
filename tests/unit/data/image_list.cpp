#include "data/image_files.hpp"
#include "data/image_layouts.hpp"
#include "files.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using namespace file_tests;

namespace {

data::image_list parse(const std::string& text, int classes = 0) { return data::parse_image_list(text, "list.txt", "root", classes); }
std::string parse_error(const std::string& text, int classes = 0) {
  return error_of([&] { parse(text, classes); });
}

/// A list file with one image of each class, and the first image as an empty file.
void write_list(const temporary_folder& root, const std::string& name, const std::string& domain, int classes) {
  std::string text;
  for (int c = 0; c < classes; ++c) text += domain + "/" + std::to_string(c) + ".jpg " + std::to_string(c) + "\n";
  fs::create_directories((root / name).parent_path());
  fs::create_directories(root / domain);
  write_bytes(root / name, text);
  write_bytes(root / (domain + "/0.jpg"), "");
}

std::string load_error(const std::string& set, const std::string& domain, data::split part, const fs::path& root, int classes = 0) {
  return error_of([&] {
    std::vector<std::string> names;
    const data::image_layout& layout = data::find_layout(set);
    data::load_domain(layout, data::find_domain(layout, domain), part, root, classes, names);
  });
}

} // namespace

TEST_CASE("image list: paths with spaces, absolute paths, all line ends") {
  const data::image_list list = parse("a/b.jpg 0\r\n\n  with two  spaces .png\t2\n/abs/c.jpg 1");
  REQUIRE(list.size() == 3);
  CHECK(list.paths[0] == "root/a/b.jpg");
  CHECK(list.paths[1] == "root/with two  spaces .png");
  CHECK(list.paths[2] == "/abs/c.jpg");
  CHECK(list.labels == std::vector<int>{0, 2, 1});
  CHECK(list.classes == 3);
  CHECK(parse("a 0", 5).classes == 5);
}

TEST_CASE("image list: errors name the file and the line") {
  CHECK(contains(parse_error("a.jpg 0\nb.jpg\n"), "list.txt:2: expected an image's path and its label, got 'b.jpg'"));
  CHECK(contains(parse_error("a.jpg one"), "list.txt:1: the label 'one' is not a number"));
  CHECK(contains(parse_error("a.jpg 1x"), "list.txt:1: the label '1x'"));
  CHECK(contains(parse_error("a.jpg 0\n\nb.jpg 31", 31), "list.txt:3: the label 31 is out of range: classes are 0 to 30"));
  CHECK(contains(parse_error("a.jpg -1"), "list.txt:1: the label -1 is out of range"));
  CHECK(contains(parse_error("a.jpg 99999999999999999999"), "is not a number"));
  CHECK(contains(parse_error(std::string("a\0b 1", 5)), "list.txt:1: holds a zero byte"));
  CHECK(contains(parse_error(" \n\n"), "list.txt: lists no images"));
  CHECK(contains(error_of([] { data::read_image_list("no/list.txt", "."); }), "no/list.txt: cannot open"));
}

TEST_CASE("layouts: names, classes, lists") {
  CHECK(data::find_layout("office31").classes == 31);
  CHECK(data::find_layout("office-home").classes == 65);
  CHECK(data::find_layout("visda2017").classes == 12);
  CHECK(data::find_layout("domainnet").classes == 345);
  CHECK(data::find_domain(data::find_layout("office-home"), "Rw").name == "Real_World");
  CHECK(contains(error_of<std::invalid_argument>([] { data::find_layout("office"); }), "known data sets: digits, image-list, office31"));
  CHECK(contains(error_of<std::invalid_argument>([] { data::find_domain(data::find_layout("office31"), "C"); }), "amazon (A), dslr (D)"));

  const temporary_folder root;
  CHECK(contains(load_error("office31", "A", data::split::train, root / "no"), "/no: no such folder; --root names the folder of office31"));
  CHECK(contains(load_error("office31", "A", data::split::train, root.path()), "amazon/images: no such folder"));
  CHECK(contains(load_error("domainnet", "c", data::split::test, root.path()), "clipart_test.txt: no such file; domainnet needs"));
  write_list(root, "image_list/webcam.txt", "webcam", 31);
  CHECK(load_error("office31", "W", data::split::train, root.path()) == "");
  CHECK(contains(load_error("office31", "W", data::split::train, root.path(), 30), "webcam.txt:31: the label 30 is out of range"));
  write_list(root, "image_list/webcam.txt", "webcam", 30);
  CHECK(contains(load_error("office31", "W", data::split::test, root.path()), "has images of 30 classes, office31 has 31"));
  CHECK(load_error("office31", "W", data::split::test, root.path(), 30) == "");
  fs::remove(root / "webcam/0.jpg");
  CHECK(contains(load_error("office31", "W", data::split::test, root.path(), 30), "webcam/0.jpg: no such file; it is the first image"));
  write_list(root, "image_list/clipart_train.txt", "clipart", 345);
  write_list(root, "image_list/clipart_test.txt", "clipart", 345);
  CHECK(load_error("domainnet", "clipart", data::split::train, root.path()) == "");
}

TEST_CASE("layouts: folders of classes without a list") {
  const temporary_folder root;
  const auto add = [&](const std::string& file) {
    fs::create_directories((root / file).parent_path());
    write_bytes(root / file, "");
  };
  for (const char* file : {"Art/Bed/2.JPG", "Art/Bed/1.png", "Art/Bed/notes.txt", "Art/Alarm Clock/7.jpeg", "Clipart/Bed/1.jpg",
                           "Clipart/Alarm Clock/1.jpg", "Product/Bed/1.jpg", "Product/Couch/1.jpg"})
    add(file);
  std::vector<std::string> names;
  const data::image_layout& layout = data::find_layout("office-home");
  const auto load = [&](const char* domain) {
    return data::load_domain(layout, data::find_domain(layout, domain), data::split::train, root.path(), 2, names);
  };
  const data::image_list art = load("Art");
  REQUIRE(art.size() == 3);
  CHECK(art.labels == std::vector<int>{0, 1, 1});
  CHECK(art.paths[1].filename() == "1.png");
  CHECK(names == std::vector<std::string>{"Alarm Clock", "Bed"});
  CHECK(load("Clipart").size() == 2);
  CHECK(contains(error_of([&] { load("Product"); }), "Product: has other classes than the domain before it, from 'Bed' on"));
  names.clear();
  CHECK(contains(load_error("office-home", "Art", data::split::train, root.path()), "Art: has images of 2 classes, office-home has 65"));
}

TEST_CASE("a shuffled list is the same every time, and its beginning a sample of it") {
  data::image_list list{{}, {}, 100};
  for (int i = 0; i < 100; ++i) {
    list.paths.emplace_back(std::to_string(i));
    list.labels.push_back(i);
  }
  const data::image_list all = data::shuffled(list, 1000), some = data::shuffled(list, 10);
  CHECK(all.size() == 100);
  REQUIRE(some.size() == 10);
  CHECK(some.labels == std::vector<int>(all.labels.begin(), all.labels.begin() + 10));
  CHECK(some.labels != std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  for (std::size_t i = 0; i < 10; ++i) CHECK(some.paths[i] == std::to_string(some.labels[i]));
}
