//! What one function will cost the compiler.
//!
//! Compilation is linear in a body's size but for two things: values that stay alive over many
//! jumps, and passes that are quadratic in the number of basic blocks. Both are estimated here
//! from above, while the body is validated.

use wasmparser::{
    BlockType, FrameKind, FuncValidator, FunctionBody, Operator, ValidatorResources, WasmModuleResources,
};

use super::{BadComponent, PrecheckLimits};

/// The cost of one function.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Cost {
    /// Local variables, parameters included.
    pub(super) locals: u64,
    /// Basic blocks, about.
    pub(super) blocks: u64,
    /// See [`PrecheckLimits::function_work`].
    pub(super) work: u64,
}

/// Validates `body` and measures it, stopping as soon as a limit is passed.
pub(super) fn measure(
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
    limits: &PrecheckLimits,
) -> Result<Cost, BadComponent> {
    // From the declarations alone: the validator must not be asked to hold 50,000 of them.
    let mut declared = 0_u64;
    for group in body.get_locals_reader()? {
        declared = declared.saturating_add(u64::from(group?.0));
        limits.at_most("a function's local variables", declared, limits.locals, "")?;
    }

    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    let mut cost = Cost { locals: u64::from(validator.len_locals()), blocks: 1, work: 0 };
    limits.at_most("a function's local variables", cost.locals, limits.locals, "")?;

    reader.set_features(crate::config::FEATURES);
    while !reader.eof() {
        let offset = reader.original_position();
        let operator = reader.peek_operator(&validator.visitor(offset))?;
        let jumps = jumps(&operator, validator);
        reader.visit_operator(&mut validator.visitor(offset))??;
        if jumps.edges > 0 {
            let alive = cost.locals + u64::from(validator.operand_stack_height()) + jumps.values;
            cost.blocks += jumps.blocks;
            cost.work = cost.work.saturating_add(jumps.edges.saturating_mul(alive));
            limits.at_most("the work of one function", cost.work, limits.function_work, "units")?;
        }
    }
    let end = reader.original_position();
    reader.finish_expression(&validator.visitor(end))?;
    Ok(cost)
}

/// What an operator adds to the control-flow graph.
#[derive(Default)]
struct Jumps {
    edges: u64,
    blocks: u64,
    /// Values that each edge carries.
    values: u64,
}

/// Called before the operator is validated: what it names may not exist, and then counts nothing.
fn jumps(operator: &Operator<'_>, validator: &FuncValidator<ValidatorResources>) -> Jumps {
    match operator {
        Operator::Block { blockty } | Operator::Loop { blockty } => {
            Jumps { edges: 1, blocks: 1, values: widest(*blockty, validator) }
        }
        Operator::If { blockty } => Jumps { edges: 2, blocks: 2, values: widest(*blockty, validator) },
        Operator::Else | Operator::End => {
            Jumps { edges: 1, blocks: 1, values: label_values(0, validator) }
        }
        Operator::Br { relative_depth } => {
            Jumps { edges: 1, blocks: 0, values: label_values(*relative_depth, validator) }
        }
        Operator::BrIf { relative_depth } => {
            Jumps { edges: 2, blocks: 1, values: label_values(*relative_depth, validator) }
        }
        Operator::BrTable { targets } => Jumps {
            edges: u64::from(targets.len()) + 1,
            blocks: u64::from(targets.len()) + 1,
            values: label_values(targets.default(), validator),
        },
        // A table is filled when it is first looked at, so each look is a branch.
        Operator::CallIndirect { .. } | Operator::TableGet { .. } => Jumps { edges: 3, blocks: 2, values: 0 },
        _ => Jumps::default(),
    }
}

fn label_values(depth: u32, validator: &FuncValidator<ValidatorResources>) -> u64 {
    let depth = usize::try_from(depth).unwrap_or(usize::MAX);
    let Some(frame) = validator.get_control_frame(depth) else { return 0 };
    let (params, results) = arity(frame.block_type, validator);
    if frame.kind == FrameKind::Loop { params } else { results }
}

fn widest(ty: BlockType, validator: &FuncValidator<ValidatorResources>) -> u64 {
    let (params, results) = arity(ty, validator);
    params.max(results)
}

fn arity(ty: BlockType, validator: &FuncValidator<ValidatorResources>) -> (u64, u64) {
    match ty {
        BlockType::Empty => (0, 0),
        BlockType::Type(_) => (0, 1),
        BlockType::FuncType(index) => {
            let ty = validator.resources().sub_type_at(index).map(|ty| &ty.composite_type.inner);
            let Some(wasmparser::CompositeInnerType::Func(ty)) = ty else { return (0, 0) };
            (ty.params().len() as u64, ty.results().len() as u64)
        }
    }
}
