//! Modules that agents may import: the image must have those that pipeline.yaml allows, and judges the same Python.

use crate::config::{Allow, Pipeline};
use crate::doctor::Finding;
use crate::model::python::Library;
use crate::util::plural::counted;

/// Looks at the modules of the cells' image, and at those of the judges' if that is another.
pub fn look(pipeline: &Pipeline, cells: &Library, judges: Option<&Library>) -> Vec<Finding> {
    let other =
        judges.filter(|judges| judges.python != cells.python).map(|judges| differs(pipeline, cells, judges));
    other.into_iter().chain([allowed(&pipeline.validate.allow, cells)]).collect()
}

fn differs(pipeline: &Pipeline, cells: &Library, judges: &Library) -> Finding {
    let (of_cells, of_judges) = (&pipeline.sandbox.image, &pipeline.sandbox.judge_image);
    let text = format!("{of_cells} has Python {}, {of_judges} has Python {}", cells.python, judges.python);
    Finding::bad("judge", text, "judge.image and sandbox.image must have the same version of Python")
}

fn allowed(allow: &Allow, library: &Library) -> Finding {
    let (python, nothing) = (&library.python, Default::default());
    let packages = library.packages.as_ref().unwrap_or(&nothing);
    let lacking: Vec<&str> = match allow {
        Allow::Image => {
            return Finding::ok(
                "modules",
                format!("Python {python}, and {}", counted(packages.len(), "package")),
            );
        }
        Allow::Modules(modules) => {
            modules.iter().map(String::as_str).filter(|name| !has(library, name)).collect()
        }
    };
    match lacking.is_empty() {
        true => Finding::ok("modules", format!("Python {python}, and all that validate.allow names")),
        false => Finding::bad(
            "modules",
            format!("the image lacks {}, which validate.allow names", lacking.join(", ")),
            "make an image that has it (`agentmill image build`), or take it from the list",
        ),
    }
}

fn has(library: &Library, name: &str) -> bool {
    library.standard.contains(name)
        || library.packages.as_ref().is_none_or(|packages| packages.contains(name))
}
