use super::*;

const GOOD: &str = "\
# A comment
size 300 100
title Two boxes
desc One box, and another.

box a plain 0 10 80 50
  A
  with text
box b hostile 200 10 80 50
  B

arrow refused a b 30
  no
arrow allowed b a 50
";

fn fault(text: &str) -> String {
    Drawing::parse(text).unwrap_err().to_string()
}

/// The good description with one line in place of another.
fn with(line: &str, other: &str) -> String {
    assert!(GOOD.contains(line));
    fault(&GOOD.replace(line, other))
}

#[test]
fn a_description_is_read() {
    let drawing = Drawing::parse(GOOD).unwrap();
    assert_eq!((drawing.width, drawing.height), (300, 100));
    assert_eq!(
        (drawing.title.as_str(), drawing.description.as_str()),
        ("Two boxes", "One box, and another.")
    );
    assert_eq!(drawing.boxes[0].text, ["A", "with text"]);
    assert_eq!(drawing.boxes[1].kind, Kind::Hostile);
    let ends: Vec<_> = drawing.arrows.iter().map(|arrow| (arrow.allowed, arrow.from, arrow.to)).collect();
    assert_eq!(ends, [(false, (80, 30), (200, 30)), (true, (200, 50), (80, 50))]);
    assert_eq!(drawing.arrows[0].text, ["no"]);
}

#[test]
fn boxes_above_each_other_have_vertical_arrows() {
    let text =
        "size 90 90\ntitle t\ndesc d\nbox a plain 0 0 50 20\nbox b plain 10 60 50 20\narrow allowed b a 30";
    let arrow = &Drawing::parse(text).unwrap().arrows[0];
    assert_eq!((arrow.from, arrow.to), ((30, 60), (30, 20)));
}

#[test]
fn a_mistake_is_told_with_its_line() {
    assert_eq!(
        with("# A comment", "colour red"),
        "line 1: `colour` is not one of size, title, desc, box, arrow"
    );
    assert_eq!(with("# A comment", "  text"), "line 1: this text belongs to no box and no arrow");
    assert_eq!(with("300 100", "300"), "line 2: this should be `size WIDTH HEIGHT`");
    assert_eq!(with("300 100", "300 x"), "line 2: `x` is not a number up to 10000");
    assert_eq!(with("300 100", "300 10001"), "line 2: `10001` is not a number up to 10000");
    assert_eq!(with("box a", "box"), "line 6: this should be `box NAME KIND LEFT TOP WIDTH HEIGHT`");
    assert_eq!(with("hostile", "evil"), "line 9: `evil` is not one of group, sandbox, plain, guard, hostile");
    assert_eq!(with("box b", "box a"), "line 9: there is a box `a` already");
    assert_eq!(with("200 10 80", "200 10 101"), "line 9: the box `b` does not fit into the size 300 100");
    assert_eq!(with("refused", "denied"), "line 12: `denied` is neither `allowed` nor `refused`");
    assert_eq!(with("a b 30", "a c 30"), "line 12: there is no box `c` above");
    assert_eq!(with("a b 30", "a b 61"), "line 12: at 61 no straight arrow leads from `a` to `b`");
    assert_eq!(with("a b 30", "a a 30"), "line 12: at 30 no straight arrow leads from `a` to `a`");
    assert_eq!(
        with("with text", "with text, too"),
        "line 8: this text may be 93 pixels wide, and its box has 80"
    );
    assert_eq!(
        with("with text", "2\n  3\n  4"),
        "line 10: with this line the text is 64 pixels high, and its box has 50"
    );
    assert_eq!(with("  no", "  no\n  no\n  no"), "line 15: an arrow has two lines of text at most");
}

#[test]
fn what_every_drawing_has_is_missed() {
    assert_eq!(fault(""), "line 0: there is no `size`");
    assert_eq!(fault("size 1 1\n"), "line 1: there is no `title`");
    assert_eq!(fault("size 1 1\ntitle t\n"), "line 2: there is no `desc`");
}
